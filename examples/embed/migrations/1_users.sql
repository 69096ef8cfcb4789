CREATE TABLE users (
    id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email     TEXT    NOT NULL UNIQUE,
    name      TEXT    NOT NULL,
    confirmed BOOLEAN NOT NULL DEFAULT false -- has followed the link in the mail to this address
);

CREATE TABLE sessions (
    digest  BYTEA  PRIMARY KEY, -- of the token in the cookie
    user_id BIGINT NOT NULL REFERENCES users (id)
);
