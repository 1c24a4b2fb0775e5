-- What somebody signs in with besides a password: a secret of RFC 6238, sealed for the web role.

CREATE TABLE second_factors (
    user_id      uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    sealed       text NOT NULL CHECK (octet_length(sealed) <= 500),
    -- It counts from when a right code was given.
    confirmed_at timestamptz,
    -- The newest step of which a code was taken: none is taken twice.
    last_step    bigint NOT NULL DEFAULT 0
);

-- Codes for who has lost it, each for one sign-in.
CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES second_factors ON DELETE CASCADE,
    -- SHA-256, in hex.
    hash    text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (user_id, hash)
);

-- Whose password was right, and whose code is awaited.
CREATE TABLE awaited_codes (
    -- SHA-256, in hex, of what the browser holds.
    id         text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{64}$'),
    user_id    uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    -- What was stored of the password: with another one the code comes too late.
    password_hash text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX awaited_codes_user ON awaited_codes (user_id);
