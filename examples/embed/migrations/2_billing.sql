CREATE TABLE customers (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name     TEXT   NOT NULL,
    owner_id BIGINT NOT NULL REFERENCES users (id)
);

CREATE TABLE products (
    code          TEXT    PRIMARY KEY,
    price         INTEGER NOT NULL, -- in cents
    specialist_id BIGINT  REFERENCES users (id) -- our own, who works for the customer who orders it
);

CREATE TABLE orders (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id BIGINT NOT NULL REFERENCES customers (id),
    user_id     BIGINT NOT NULL REFERENCES users (id),
    product     TEXT   NOT NULL REFERENCES products (code)
);

CREATE TABLE invoices (
    id          BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id BIGINT  NOT NULL REFERENCES customers (id),
    order_id    BIGINT  NOT NULL REFERENCES orders (id),
    amount      INTEGER NOT NULL -- in cents
);

CREATE INDEX invoices_customer ON invoices (customer_id, id);
