-- Roles as in PostgREST's documentation: it connects as authenticator, then takes the role in
-- the token's role claim. The owner of a todo is the token's sub.
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE web_anon NOLOGIN;
CREATE ROLE todo_user NOLOGIN;
GRANT web_anon, todo_user TO authenticator;
GRANT USAGE ON SCHEMA public TO web_anon, todo_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON todos TO todo_user;

-- STABLE and called in a SELECT below, so that PostgreSQL evaluates it once a statement.
CREATE FUNCTION current_subject() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT current_setting('request.jwt.claims', true)::json ->> 'sub'
$$;
ALTER TABLE todos ALTER COLUMN owner_id SET DEFAULT current_subject();
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_todos ON todos TO todo_user
    USING (owner_id = (SELECT current_subject()))
    WITH CHECK (owner_id = (SELECT current_subject()));
