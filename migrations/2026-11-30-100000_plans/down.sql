DELETE FROM jobs WHERE kind = 'plan';
DELETE FROM push_refs WHERE decision = 'planned';

ALTER TABLE jobs
    DROP CONSTRAINT jobs_plan_check,
    DROP CONSTRAINT jobs_kind_check,
    ADD CONSTRAINT jobs_kind_check CHECK (kind IN ('deploy', 'redeploy', 'rollback')),
    DROP CONSTRAINT jobs_outcome_check,
    ADD CONSTRAINT jobs_outcome_check CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'superseded', 'stale', 'lost', 'refused'));

ALTER TABLE job_runs
    DROP CONSTRAINT job_runs_outcome_check,
    ADD CONSTRAINT job_runs_outcome_check CHECK (outcome IN
        ('live', 'failed', 'cancelled', 'lost', 'interrupted'));

ALTER TABLE push_refs
    DROP CONSTRAINT push_refs_decision_check,
    ADD CONSTRAINT push_refs_decision_check CHECK (decision IN
        ('deployed', 'attached', 'stored', 'deleted', 'refused'));
