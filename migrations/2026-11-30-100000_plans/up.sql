-- Jobs that say what a deployment would change, and change nothing.

ALTER TABLE jobs
    DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('deploy', 'redeploy', 'rollback', 'plan')),
    DROP CONSTRAINT jobs_outcome_check,
    ADD CONSTRAINT jobs_outcome_check CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'superseded', 'stale', 'lost', 'refused', 'planned')),
    -- They have a run, and neither a ref nor a place on a target.
    ADD CONSTRAINT jobs_plan_check CHECK
        (kind <> 'plan' OR (ref_name IS NULL AND ref_moves = 'never' AND applying_since IS NULL));

ALTER TABLE job_runs
    DROP CONSTRAINT job_runs_outcome_check,
    ADD CONSTRAINT job_runs_outcome_check CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'lost', 'interrupted', 'planned'));

ALTER TABLE push_refs
    DROP CONSTRAINT push_refs_decision_check,
    ADD CONSTRAINT push_refs_decision_check CHECK (decision IN
        ('deployed', 'attached', 'stored', 'deleted', 'refused', 'planned'));
