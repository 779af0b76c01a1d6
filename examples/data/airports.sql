-- Where an airport is.
faa TEXT,
name TEXT,
lat DOUBLE,
lon DOUBLE,
alt INTEGER, -- feet
tz INTEGER, -- hours from UTC
dst TEXT,
tzone TEXT
