-- As PostgREST's documentation does it: it connects as authenticator, and becomes what the
-- token's role claim says. Whose a todo is comes from the token's sub.
CREATE ROLE authenticator LOGIN NOINHERIT;
CREATE ROLE web_anon NOLOGIN;
CREATE ROLE todo_user NOLOGIN;
GRANT web_anon, todo_user TO authenticator;
GRANT USAGE ON SCHEMA public TO web_anon, todo_user;
GRANT SELECT, INSERT, UPDATE, DELETE ON todos TO todo_user;

-- STABLE, and in a SELECT of its own below: evaluated once for a statement, not for each row.
CREATE FUNCTION current_subject() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT current_setting('request.jwt.claims', true)::json ->> 'sub'
$$;
ALTER TABLE todos ALTER COLUMN owner_id SET DEFAULT current_subject();
ALTER TABLE todos ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_todos ON todos TO todo_user
    USING (owner_id = (SELECT current_subject()))
    WITH CHECK (owner_id = (SELECT current_subject()));
