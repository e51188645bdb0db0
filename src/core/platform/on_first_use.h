#pragma once

namespace vrm {

/// A variable of static storage whose value its first user makes, and nobody destroys: loading the
/// module runs no code, and neither does the end of a process.
template <typename T>
class on_first_use {
 public:
  [[nodiscard]] T& operator*() {
    if (value_ == nullptr) [[unlikely]]
      value_ = new T;
    return *value_;
  }
  [[nodiscard]] T* operator->() { return &**this; }

 private:
  T* value_ = nullptr;
};

}  // namespace vrm
