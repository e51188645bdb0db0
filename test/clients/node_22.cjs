// What PostGraphile 5 wants of Node 22, for older ones: node -r node_22.cjs PROGRAM
Promise.withResolvers ??= function withResolvers() {
  let [resolve, reject] = [];
  const promise = new this((done, failed) => { [resolve, reject] = [done, failed]; });
  return { promise, resolve, reject };
};
