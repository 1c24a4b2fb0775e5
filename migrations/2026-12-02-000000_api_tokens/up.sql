-- Tokens that programs come with: the API's bearers.

CREATE TABLE api_tokens (
    id             uuid PRIMARY KEY,
    -- A token ends with its user.
    user_id        uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    name           text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    -- SHA-256 of the token, which nobody can read again.
    hash           text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    access         text NOT NULL CHECK (access IN ('read', 'write')),
    -- At most one of them: what the token is for, or null for all that its user sees.
    account_id     uuid REFERENCES accounts ON DELETE CASCADE,
    project_id     uuid REFERENCES projects ON DELETE CASCADE,
    created_at     timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    last_used_at   timestamptz,
    last_used_from text,
    CHECK (account_id IS NULL OR project_id IS NULL)
);
CREATE INDEX api_tokens_user ON api_tokens (user_id);
CREATE INDEX api_tokens_account ON api_tokens (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX api_tokens_project ON api_tokens (project_id) WHERE project_id IS NOT NULL;

ALTER TABLE audit
    DROP CONSTRAINT audit_door_check,
    ADD CONSTRAINT audit_door_check CHECK (door IN ('admin', 'ssh', 'api'));
