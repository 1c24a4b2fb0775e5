-- The version before knows no such door.
ALTER TABLE audit DISABLE TRIGGER audit_is_appended_to;
UPDATE audit SET door = 'admin', details = details || '{"door": "web"}' WHERE door = 'web';
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_appended_to;
ALTER TABLE audit
    DROP CONSTRAINT audit_door_check,
    ADD CONSTRAINT audit_door_check CHECK (door IN ('admin', 'ssh', 'api'));
DROP TABLE first_run, sign_in_tries, web_sessions;
