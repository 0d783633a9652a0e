/** The tables. `organization_code` of a user is null if the user's key has no organization. */
export const SCHEMA = `
  PRAGMA foreign_keys = ON;

  CREATE TABLE organizations (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL
  ) STRICT;

  CREATE TABLE users (
    id                TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    email             TEXT,
    organization_code TEXT REFERENCES organizations (code)
  ) STRICT;

  CREATE TABLE projects (
    id                TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    organization_code TEXT NOT NULL REFERENCES organizations (code)
  ) STRICT;
`;
