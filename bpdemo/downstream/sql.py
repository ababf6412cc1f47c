"""Every statement that the PostgreSQL store sends.

    items    what is on sale, and how much is left of it
    claims   every order id that was ever settled, as a sale or as void, or that was promised
    orders   a view of the sales, each exactly once

A sale and a void claim the same primary key. So they exclude one another, whichever comes first,
and each waits for the other while that is still going on.
"""

CREATE = """
CREATE TABLE items (
    id          integer PRIMARY KEY,
    name        text    NOT NULL,
    price_cents integer NOT NULL,
    stock       integer NOT NULL CONSTRAINT enough_in_stock CHECK (stock >= 0)
) WITH (fillfactor = 50);  -- room in each page for new versions of the item everybody wants

CREATE TABLE claims (
    id           text PRIMARY KEY,
    item_id      integer,      -- null: void
    quantity     integer,
    amount_cents bigint,
    created_at   timestamptz,
    key          text
);
CREATE UNIQUE INDEX one_order_per_key ON claims (key) WHERE key IS NOT NULL;

CREATE VIEW orders AS
    SELECT id, item_id, quantity, amount_cents, created_at, key
    FROM claims WHERE item_id IS NOT NULL;
"""

SEED = "INSERT INTO items (id, name, price_cents, stock) VALUES ($1, $2, $3, $4)"

LIST_ITEMS = """
SELECT id, name, price_cents, stock > 0 AS in_stock FROM items
WHERE id > $1 ORDER BY id LIMIT $2
"""

FIND_ITEM = "SELECT id, name, price_cents, stock > 0 AS in_stock FROM items WHERE id = $1"

ORDER_COLUMNS = "id, item_id, quantity, amount_cents, created_at, key"

#: As it stands: a promised order may be pending, or have failed (see durable_sql.py).
STANDING_COLUMNS = f"{ORDER_COLUMNS}, status, reason"

FIND_ORDER = f"SELECT {STANDING_COLUMNS} FROM claims WHERE id = $1 AND item_id IS NOT NULL"

FIND_ORDER_BY_KEY = f"SELECT {STANDING_COLUMNS} FROM claims WHERE key = $1"

#: A whole sale in one statement, so in one transaction and one round trip. The claim comes first:
#: a repeat ends there. The item's row, for which all the others wait, is locked last, and not
#: while answers travel: from the update to the end of the statement. Too little stock violates
#: `enough_in_stock`, which takes the claim back with it.
PLACE = f"""
WITH claimed AS (
    INSERT INTO claims ({ORDER_COLUMNS})
    SELECT $1, items.id, $3, $4, $5, $6 FROM items WHERE items.id = $2
    ON CONFLICT DO NOTHING
    RETURNING item_id, quantity
)
UPDATE items SET stock = stock - claimed.quantity
FROM claimed WHERE items.id = claimed.item_id
RETURNING stock
"""

#: What stood in the way of a claim. A statement of its own: the snapshot of `PLACE` is older than
#: the claim it may have waited for.
FIND_CLAIM = f"""
SELECT claim.*, items.stock
FROM (SELECT {STANDING_COLUMNS} FROM claims) AS claim
LEFT JOIN items ON items.id = claim.item_id
WHERE claim.id = $1 OR claim.key = $2
ORDER BY claim.id = $1 DESC LIMIT 1
"""

VOID = "INSERT INTO claims (id) VALUES ($1) ON CONFLICT (id) DO NOTHING RETURNING id"

#: A sale becomes void, and its tickets are for sale again. Only the first of two who come at once
#: finds it sold: the other waits for the row, and looks again.
TAKE_BACK = """
WITH sold AS (
    SELECT id, item_id, quantity FROM claims
    WHERE id = $1 AND item_id IS NOT NULL AND status = 'confirmed'
    FOR UPDATE
), emptied AS (
    UPDATE claims
    SET item_id = NULL, quantity = NULL, amount_cents = NULL, created_at = NULL, key = NULL
    FROM sold WHERE claims.id = sold.id
)
UPDATE items SET stock = stock + sold.quantity FROM sold WHERE items.id = sold.item_id
"""
