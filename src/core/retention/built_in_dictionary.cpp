// Whatever was packed with this dictionary can be read with it alone: it is never changed.  Another
// one would get another number.
#include "core/retention/packed_document.h"

namespace vrm {

/// What is most likely stands last, where matches are cheapest to name.
std::string_view built_in_dictionary_content() noexcept {
  return R"(I'm sorry, I did not understand that. Could you repeat that, please?
Could you spell that for me, please? Let me check that for you. One moment, please.
I will transfer you to a colleague who can help you with that. Please hold the line.
May I have your name, please? Can you please confirm your date of birth?
What is the best phone number to reach you? Can I have your email address, please?
What day and time would work best for you? I have booked an appointment for you.
Your appointment has been rescheduled. Your order has been shipped. Your refund has been
processed. I have updated your account. I'm afraid that is not available.
I understand. I see. Okay. Sure. No problem. That's right. That is correct. Yes, please.
No, thank you. That would be great. That works for me. Of course. I'm sorry to hear that.
Let me look into that for you. Just a moment. I can help you with that.
I would like to make an appointment. I would like to cancel my order. I have a question about
my bill. I want to speak to a person. I'm calling about my reservation.
Hello, thank you for calling. How can I help you today? How may I assist you?
Is there anything else I can help you with today? No, that's all. Thank you for your help.
You're welcome. Thank you for calling. Have a great day! Goodbye. Bye.
book_appointment check_availability transfer_call end_call send_sms lookup_customer
customer_hangup assistant-ended-call customer-ended-call silence-timed-out
{"ok": true, "id": "", "name": "", "took": , "action": "", "result": {"status": "success"},
"status": "failure", "arguments": {"date": "20", "time": "", "phone": "+", "email": ""}}
{"type": "sentiment", "value": "negative", "description": ""}, {"type": "resolution",
"value": "resolved", "description": ""}], "sentiment": "neutral", "metrics": [{"name": "",
"score": 0., "passed": true, "rationale": ""}], "summary": "The customer called to ",
"latency": {"model": , "voice": , "transcriber": }, "cost": 0., "currency": "USD",
"endedReason": "", "recordingUrl": "https://", "outcome": "", "direction": "inbound",
{"actions": [], "customer": "+", "duration": "0:", "insights": [], "sentiment": "positive",
"transcript": [{"message": "", "speaker": "Customer", "timestamp": "0:0"},
{"ms": 0, "role": "system", "endMs": , "message": "", "speaker": "System",
"interrupted": false}, {"ms": , "role": "tool", "time": "00:", "message": "
{"ms": 1000, "role": "agent", "endMs": , "message": "", "speaker": "Agent", "timestamp": "0:1
"interrupted": false}, {"ms": , "role": "customer", "time": "00:00", "message": "",
"speaker": "Customer", "interrupted": true}, {"ms": , "role": "customer", "message": "",
"speaker": "Customer", "interrupted": false}, {"ms": , "role": "agent", "message": "",
"speaker": "Agent", "interrupted": false}, {"ms": )";
}

}  // namespace vrm
