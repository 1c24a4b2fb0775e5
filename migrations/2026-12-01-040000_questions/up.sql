-- What people ask of workers about what runs, and what those say. Whoever asks reads it at once, and
-- nobody later: what containers print is not kept here, nor in the server's log of changes.

CREATE UNLOGGED TABLE questions (
    id             uuid PRIMARY KEY,
    environment_id uuid NOT NULL REFERENCES environments ON DELETE CASCADE,
    asked          jsonb NOT NULL,
    asked_at       timestamptz NOT NULL DEFAULT now(),
    -- Renewed by whoever waits for the answer.
    wanted_until   timestamptz NOT NULL,
    -- The worker that answers, and when it last did something for that.
    worker         text,
    seen_at        timestamptz
);
CREATE INDEX questions_open ON questions (asked_at) WHERE worker IS NULL;

CREATE UNLOGGED TABLE answers (
    id          bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    question_id uuid NOT NULL REFERENCES questions ON DELETE CASCADE,
    told        jsonb NOT NULL
);
CREATE INDEX answers_question ON answers (question_id, id);
