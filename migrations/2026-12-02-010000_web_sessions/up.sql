-- Sign-in to the pages.

CREATE TABLE web_sessions (
    -- SHA-256, in hex, of what the browser holds.
    id         text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{64}$'),
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    origin     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    -- However often it is used.
    expires_at timestamptz NOT NULL
);
CREATE INDEX web_sessions_user ON web_sessions (user_id);

-- Tries to sign in since some time, of a person or from an address.
CREATE TABLE sign_in_tries (
    whose text PRIMARY KEY CHECK (octet_length(whose) <= 100),
    tries integer NOT NULL DEFAULT 1,
    since timestamptz NOT NULL DEFAULT now()
);

-- What the first administrator comes with, once.
CREATE TABLE first_run (
    "only"     boolean PRIMARY KEY DEFAULT true CHECK ("only"),
    -- SHA-256, in hex.
    token      text NOT NULL CHECK (token ~ '^[0-9a-f]{64}$'),
    expires_at timestamptz NOT NULL
);

ALTER TABLE audit
    DROP CONSTRAINT audit_door_check,
    ADD CONSTRAINT audit_door_check CHECK (door IN ('admin', 'ssh', 'api', 'web'));
