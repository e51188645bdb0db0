-- Calls ("test runs"): rows that come with it

-- Only once: a word that the DBA has deleted does not come back.
INSERT INTO vrm.call_outcomes (name, kind, description)
SELECT * FROM (VALUES
    ('resolved', 'contained', 'the customer got what the call was about'),
    ('unresolved', 'contained', 'the agent served the call to its end, but not to its purpose'),
    ('transferred', 'transferred', 'a person or another line took over'),
    ('voicemail', 'other', 'a machine answered'),
    ('no_answer', 'other', 'busy, declined, unreachable or not answered'),
    ('abandoned', 'other', 'the customer left before being served'),
    ('failed', 'other', 'a technical error')
    ) AS known (name, kind, description)
WHERE NOT EXISTS (SELECT FROM vrm.call_outcomes);

-- as in src/core/calls/speakers.cpp, by which documents of before 1.1 are read
INSERT INTO vrm.speaker_roles (speaker, role)
SELECT unnest(words::text[]), role
FROM (VALUES
    ('agent', '{advisor,agent,ai,ai_agent,assistant,automated_agent,bot,chatbot,custom_bot,human_agent,'
     'internal,model,operator,representative,robot,supervisor,transfer_target,virtual_agent,'
     'voice_agent}'),
    ('customer', '{caller,client,contact,customer,end_user,external,human,user}'),
    ('tool', '{function,function_call,function_call_output,tool,tool_call,tool_call_invocation,'
     'tool_call_result,tool_calls}'),
    ('system', '{developer,system}')
    ) AS known (role, words)
WHERE NOT EXISTS (SELECT FROM vrm.speaker_roles);
