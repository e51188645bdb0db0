-- Calls ("test runs"): rows that come with it

INSERT INTO vrm.call_outcomes (name, kind, description) VALUES
    ('resolved', 'contained', 'the customer got what the call was about'),
    ('unresolved', 'contained', 'the agent served the call to its end, but not to its purpose'),
    ('transferred', 'transferred', 'a person or another line took over'),
    ('voicemail', 'other', 'a machine answered'),
    ('no_answer', 'other', 'busy, declined, unreachable or not answered'),
    ('abandoned', 'other', 'the customer left before being served'),
    ('failed', 'other', 'a technical error')
ON CONFLICT (name) DO NOTHING;
