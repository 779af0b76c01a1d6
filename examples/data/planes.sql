-- An aircraft by the number on its tail.
tailnum TEXT,
year INTEGER, -- built
type TEXT,
manufacturer TEXT,
model TEXT,
engines INTEGER,
seats INTEGER,
speed INTEGER, -- miles per hour
engine TEXT
