-- What the letters of an airline stand for.
carrier TEXT,
name TEXT
