-- The audit trail becomes a chain (gateway/base/chain.py). `digest` covers the digest before, id, at, who, what, target,
-- detail. The first line that is written afterwards gives the older ones their digests and itself is `began`.
-- `before`: the last line that went with age, and its digest; `head`: the last line of all.
ALTER TABLE audit ADD COLUMN digest TEXT;
CREATE TABLE audit_chain (one INTEGER PRIMARY KEY CHECK (one = 1), before INTEGER NOT NULL, before_digest TEXT NOT NULL,
    began INTEGER NOT NULL, head INTEGER NOT NULL, head_digest TEXT NOT NULL);
