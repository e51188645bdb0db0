-- Agents and test cases: rows that come with it

-- Only once: a template that the DBA has deleted does not come back.
INSERT INTO vrm.test_case_templates (name, user_persona, scenario, evaluator_metrics)
SELECT name, user_persona::jsonb, scenario::jsonb, evaluator_metrics::jsonb
FROM (VALUES
    ('{agent}: friendly caller',
     '{"mood": "friendly", "patience": "high", "speech": "clear"}',
     '{"goal": "get a routine request done", "opening": "Hi, I hope you can help me with something."}',
     '["task_completion", "politeness"]'),
    ('{agent}: impatient caller',
     '{"mood": "irritated", "patience": "low", "speech": "fast, interrupts"}',
     '{"goal": "get a refund quickly", "opening": "I have been waiting for ten minutes already."}',
     '["task_completion", "de_escalation"]'),
    ('{agent}: caller who is hard to understand',
     '{"mood": "calm", "patience": "high", "speech": "background noise, half sentences"}',
     '{"goal": "change an appointment", "opening": "Hello? Can you hear me? It is about Thursday."}',
     '["clarification", "fallback_prompt_used"]')
    ) AS template (name, user_persona, scenario, evaluator_metrics)
WHERE NOT EXISTS (SELECT FROM vrm_private.platform_history)
ON CONFLICT (name) DO NOTHING;
