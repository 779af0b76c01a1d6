-- The weather of an hour at an airport of New York.
origin TEXT,
year INTEGER,
month INTEGER,
day INTEGER,
hour INTEGER,
temp DOUBLE, -- Fahrenheit
dewp DOUBLE,
humid DOUBLE, -- per cent
wind_dir DOUBLE, -- degrees
wind_speed DOUBLE, -- miles per hour
wind_gust DOUBLE,
precip DOUBLE, -- inches
pressure DOUBLE, -- millibars
visib DOUBLE, -- miles
time_hour TIMESTAMP
