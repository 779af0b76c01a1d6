-- A flight that left New York: as planned, as flown, and of which aircraft.
-- Times of day are hours and minutes as one number, 517 for 5:17.
year INTEGER,
month INTEGER,
day INTEGER,
dep_time INTEGER,
sched_dep_time INTEGER,
dep_delay INTEGER, -- minutes
arr_time INTEGER,
sched_arr_time INTEGER,
arr_delay INTEGER, -- minutes
carrier TEXT,
flight INTEGER,
tailnum TEXT,
origin TEXT,
dest TEXT,
air_time INTEGER, -- minutes
distance INTEGER, -- miles
hour INTEGER,
minute INTEGER,
time_hour TIMESTAMP
