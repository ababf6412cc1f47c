"""Every statement about orders that were promised and wait for a durable worker.

    claims     has the promise too, as `pending`, under its id and its key: so a key that is
               promised cannot be sold to, whichever process asks
    payments   the ledger of those orders: one row for each key, so one charge
    pgqueuer   PgQueuer's own: whose turn it is

A claim says what becomes of the order; the queue only says when. `settled` is false from the
promise until nothing is left to do: it was sold, or it failed and its money is back. `tries` counts
those in which somebody was asked for it; PgQueuer's `attempts`, how often it was given back.
"""

from bpdemo.downstream.sql import ORDER_COLUMNS, STANDING_COLUMNS

#: Also for a database that an earlier version has made. Harmless where all of it is there.
CREATE = f"""
ALTER TABLE claims
    ADD COLUMN IF NOT EXISTS status  text    NOT NULL DEFAULT 'confirmed',
    ADD COLUMN IF NOT EXISTS reason  text,
    ADD COLUMN IF NOT EXISTS settled boolean NOT NULL DEFAULT true,
    ADD COLUMN IF NOT EXISTS tries   integer NOT NULL DEFAULT 0;

CREATE INDEX IF NOT EXISTS unsettled_claims ON claims (id) WHERE NOT settled;

CREATE OR REPLACE VIEW orders AS
    SELECT {ORDER_COLUMNS} FROM claims WHERE item_id IS NOT NULL AND status = 'confirmed';

CREATE TABLE IF NOT EXISTS payments (
    key          text    PRIMARY KEY,   -- the order's id
    amount_cents bigint,
    asked        integer NOT NULL,      -- how often the charge was asked for; made it was once
    charged_at   timestamptz,           -- null: barred before it was ever charged
    refunded_at  timestamptz
);
"""

#: Any number will do that is not the schema's, as long as all services use the same one.
DEPTH_LOCK = 0x626F786F66666964

#: Held until the transaction ends, so that counting and inserting are one step for everybody.
LOCK_DEPTH = "SELECT pg_advisory_xact_lock($1)"

PROMISE = f"""
INSERT INTO claims ({ORDER_COLUMNS}, status, settled)
SELECT $1, $2, $3, $4, $5, $6, 'pending', false
WHERE (SELECT count(*) FROM (SELECT FROM claims WHERE NOT settled LIMIT $7) AS unsettled) < $7
ON CONFLICT DO NOTHING
RETURNING id
"""

#: The same shape as `sql.PLACE`: the claim first, the item's row last.
CONFIRM = f"""
WITH claimed AS (
    UPDATE claims SET status = 'confirmed', settled = true
    WHERE id = $1 AND status = 'pending'
    RETURNING {STANDING_COLUMNS}
), sold AS (
    UPDATE items SET stock = stock - claimed.quantity
    FROM claimed WHERE items.id = claimed.item_id
    RETURNING items.id, stock
)
SELECT claimed.*, sold.stock FROM claimed JOIN sold ON sold.id = claimed.item_id
"""

COUNT_TRY = "UPDATE claims SET tries = tries + 1 WHERE id = $1 RETURNING tries"

FAIL = f"""
UPDATE claims SET status = 'failed', reason = $2, key = NULL
WHERE id = $1 AND status = 'pending'
RETURNING {STANDING_COLUMNS}
"""

SETTLE = "UPDATE claims SET settled = true WHERE id = $1 AND status = 'failed'"

DEPTH = "SELECT count(*) FROM claims WHERE NOT settled"

#: A job leaves the queue only after its claim was settled, so these were lost by some mishap.
FIND_LOST = """
SELECT id FROM claims WHERE NOT settled AND NOT EXISTS (
    SELECT FROM pgqueuer
    WHERE pgqueuer.dedupe_key = claims.id AND pgqueuer.status IN ('queued', 'picked')
)
"""

#: PgQueuer notes every step of every job, and would keep that for ever. In pieces: after a night
#: without workers there may be millions, more than a statement may take time for.
FORGET_STEPS = """
DELETE FROM pgqueuer_log WHERE id = ANY (ARRAY(
    SELECT id FROM pgqueuer_log WHERE created < now() - interval '1 hour'
    ORDER BY created LIMIT $1 FOR UPDATE SKIP LOCKED
))
"""

#: PgQueuer counts whatever is given back, and the next wait would be longer.
NOT_TRIED = "UPDATE pgqueuer SET attempts = attempts - 1 WHERE id = $1"

CHARGE = """
INSERT INTO payments (key, amount_cents, asked, charged_at) VALUES ($1, $2, 1, now())
ON CONFLICT (key) DO UPDATE SET asked = payments.asked + 1
RETURNING refunded_at IS NULL AS stands, asked = 1 AS is_first
"""

#: A key that was never charged is barred by this.
REFUND = """
INSERT INTO payments (key, asked, refunded_at) VALUES ($1, 0, now())
ON CONFLICT (key) DO UPDATE SET refunded_at = coalesce(payments.refunded_at, now())
RETURNING charged_at IS NOT NULL AND refunded_at = now() AS is_first
"""
