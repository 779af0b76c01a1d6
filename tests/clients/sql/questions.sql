-- Questions that DuckDB and Pyralog must answer alike, in words that both know.
-- Each begins with `--- name` and says in which order its rows come: without that
-- no two engines owe the same.

--- every airline, by name
SELECT carrier, name FROM airlines ORDER BY name

--- flights and delays by airline: a join with airlines
SELECT a.name, count(*) AS flights, count(f.arr_delay) AS arrived,
       avg(f.dep_delay) AS dep_delay, max(f.arr_delay) AS worst, min(f.arr_delay) AS best
FROM flights f JOIN airlines a ON a.carrier = f.carrier
GROUP BY a.name
ORDER BY a.name

--- age of the aircraft: a left join with planes, NULLs kept
SELECT p.year AS built, count(*) AS flights, count(DISTINCT f.tailnum) AS aircraft,
       avg(CAST(f.arr_delay AS DOUBLE)) AS arr_delay
FROM flights f LEFT JOIN planes p ON p.tailnum = f.tailnum
GROUP BY p.year
ORDER BY built NULLS FIRST

--- tails that no register knows: an anti join
SELECT f.tailnum, count(*) AS flights
FROM flights f
WHERE f.tailnum IS NOT NULL AND NOT EXISTS (SELECT 1 FROM planes p WHERE p.tailnum = f.tailnum)
GROUP BY f.tailnum
ORDER BY flights DESC, f.tailnum
LIMIT 50

--- wind and delay: a join with weather on two columns
SELECT CAST(floor(w.wind_speed / 5) AS BIGINT) * 5 AS wind, count(*) AS flights,
       avg(f.dep_delay) AS dep_delay, avg(w.visib) AS visib
FROM flights f JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE w.wind_speed IS NOT NULL
GROUP BY CAST(floor(w.wind_speed / 5) AS BIGINT) * 5
ORDER BY wind

--- hours without weather: a left join whose right side is missing
SELECT f.origin, f.month, count(*) AS flights
FROM flights f LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE w.time_hour IS NULL
GROUP BY f.origin, f.month
ORDER BY f.origin, f.month

--- destinations by distance and height: a join with airports
SELECT f.dest, p.name, p.alt, p.tzone, p.lat, p.lon, count(*) AS flights, avg(f.distance) AS distance
FROM flights f LEFT JOIN airports p ON p.faa = f.dest
GROUP BY f.dest, p.name, p.alt, p.tzone, p.lat, p.lon
ORDER BY f.dest

--- all five tables in one question
SELECT l.name AS airline, p.manufacturer, d.name AS destination, count(*) AS flights,
       avg(w.temp) AS temp
FROM flights f
JOIN airlines l ON l.carrier = f.carrier
JOIN planes p ON p.tailnum = f.tailnum
JOIN airports d ON d.faa = f.dest
LEFT JOIN weather w ON w.origin = f.origin AND w.time_hour = f.time_hour
WHERE f.month = 2
GROUP BY l.name, p.manufacturer, d.name
HAVING count(*) >= 20
ORDER BY l.name, p.manufacturer, d.name

--- rank of the worst delays of each airport: windows
SELECT origin, carrier, flight, time_hour, dep_delay, place
FROM (SELECT origin, carrier, flight, time_hour, dep_delay,
             rank() OVER (PARTITION BY origin ORDER BY dep_delay DESC NULLS LAST) AS place
      FROM flights) ranked
WHERE place <= 10
ORDER BY origin, place, carrier, flight, time_hour

--- time on the ground between flights of an aircraft: lag
SELECT tailnum, time_hour, carrier, flight, lag(time_hour) OVER tail AS before,
       lead(dest) OVER tail AS after, row_number() OVER tail AS number
FROM flights
WHERE tailnum LIKE 'N10_U%'
WINDOW tail AS (PARTITION BY tailnum ORDER BY time_hour, flight, sched_dep_time)
ORDER BY tailnum, time_hour, flight, sched_dep_time

--- seven days on average: a moving frame
SELECT month, day, flights,
       avg(flights) OVER (ORDER BY month, day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS week,
       sum(flights) OVER (ORDER BY month, day) AS so_far
FROM (SELECT month, day, count(*) AS flights FROM flights GROUP BY month, day) days
ORDER BY month, day

--- quarters of the year: ntile and first_value
SELECT carrier, month, flights,
       ntile(4) OVER (ORDER BY flights, carrier, month) AS quarter,
       first_value(month) OVER (PARTITION BY carrier ORDER BY flights DESC, month) AS busiest
FROM (SELECT carrier, month, count(*) AS flights FROM flights GROUP BY carrier, month) months
ORDER BY carrier, month

--- subtotals: ROLLUP
SELECT origin, carrier, count(*) AS flights, sum(distance) AS miles,
       grouping(origin) AS all_origins, grouping(carrier) AS all_carriers
FROM flights
GROUP BY ROLLUP (origin, carrier)
ORDER BY all_origins, origin, all_carriers, carrier

--- subtotals: grouping sets
SELECT origin, month, count(*) AS flights, max(air_time) AS air_time
FROM flights
GROUP BY GROUPING SETS ((origin), (month), ())
ORDER BY origin NULLS LAST, month NULLS LAST

--- NULLs are one group and are counted by nobody
SELECT dep_time IS NULL AS cancelled, count(*) AS flights, count(dep_time) AS departed,
       count(DISTINCT tailnum) AS aircraft, sum(air_time) AS air_time
FROM flights
GROUP BY dep_time IS NULL
ORDER BY cancelled

--- pairs of airports: DISTINCT
SELECT DISTINCT origin, dest FROM flights ORDER BY origin, dest

--- who flies more than the average: a CTE and a subquery
WITH totals AS (SELECT carrier, count(*) AS flights FROM flights GROUP BY carrier)
SELECT carrier, flights, flights - (SELECT avg(flights) FROM totals) AS above
FROM totals
WHERE flights > (SELECT avg(flights) FROM totals)
ORDER BY carrier

--- the longest flight of each month: a correlated subquery
SELECT f.month, f.carrier, f.flight, f.day, f.air_time
FROM flights f
WHERE f.air_time = (SELECT max(g.air_time) FROM flights g WHERE g.month = f.month)
ORDER BY f.month, f.carrier, f.flight, f.day

--- destinations of one airport alone: set operations
SELECT dest FROM flights WHERE origin = 'EWR'
EXCEPT
(SELECT dest FROM flights WHERE origin = 'JFK' UNION SELECT dest FROM flights WHERE origin = 'LGA')
ORDER BY dest

--- quartiles of delay
SELECT carrier,
       percentile_cont(0.25) WITHIN GROUP (ORDER BY CAST(dep_delay AS DOUBLE)) AS lower,
       median(CAST(dep_delay AS DOUBLE)) AS middle,
       percentile_cont(0.75) WITHIN GROUP (ORDER BY CAST(dep_delay AS DOUBLE)) AS upper
FROM flights
GROUP BY carrier
ORDER BY carrier

--- spread and correlation
SELECT origin, stddev_samp(dep_delay) AS deviation, var_pop(arr_delay) AS variance,
       corr(CAST(dep_delay AS DOUBLE), CAST(arr_delay AS DOUBLE)) AS correlation
FROM flights
GROUP BY origin
ORDER BY origin

--- weeks and hours: date_trunc and extract
SELECT date_trunc('week', time_hour) AS week, CAST(extract(hour FROM time_hour) AS BIGINT) AS hour,
       count(*) AS flights, min(time_hour) AS earliest
FROM flights
WHERE time_hour >= TIMESTAMP '2013-03-04 00:00:00' AND time_hour < TIMESTAMP '2013-04-01 00:00:00'
GROUP BY date_trunc('week', time_hour), CAST(extract(hour FROM time_hour) AS BIGINT)
ORDER BY week, hour

--- an hour is an hour: timestamps plus intervals
SELECT time_hour, time_hour + INTERVAL '36 hours' AS later, CAST(time_hour AS DATE) AS day, count(*) AS flights
FROM flights
WHERE month = 12 AND day = 31
GROUP BY time_hour
ORDER BY time_hour

--- punctual, late, cancelled: CASE
SELECT CASE WHEN dep_delay IS NULL THEN 'cancelled' WHEN dep_delay <= 0 THEN 'punctual'
            WHEN dep_delay < 60 THEN 'late' ELSE 'very late' END AS how,
       count(*) AS flights, sum(CASE WHEN arr_delay <= 0 THEN 1 ELSE 0 END) AS made_up,
       count(*) FILTER (WHERE origin = 'JFK') AS from_kennedy
FROM flights
GROUP BY 1
ORDER BY how

--- words: string functions
SELECT faa, upper(name) AS loud, lower(tzone) AS zone, length(name) AS letters,
       substr(name, 1, 5) AS short, replace(name, ' ', '_') AS joined,
       coalesce(tzone, 'nowhere') AS somewhere, name || ' (' || faa || ')' AS both_names,
       strpos(name, 'Intl') AS international
FROM airports
WHERE name LIKE '%Intl%' OR tzone IS NULL
ORDER BY faa

--- text and numbers: casts
SELECT flight, CAST(flight AS VARCHAR) AS text, CAST(CAST(flight AS VARCHAR) AS BIGINT) + 1 AS next,
       CAST(distance AS DOUBLE) / 3 AS third, CAST(air_time AS DECIMAL(10, 2)) AS exact,
       nullif(air_time, 227) AS not_227, abs(dep_delay) AS off, air_time % 60 AS rest
FROM flights
WHERE month = 1 AND day = 1 AND dep_time IS NOT NULL AND air_time IS NOT NULL
ORDER BY time_hour, carrier, flight, origin

--- the weather of a day, NULLs included
SELECT origin, hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib, time_hour
FROM weather
WHERE month = 2 AND day BETWEEN 8 AND 10
ORDER BY origin, time_hour, hour

--- makers of aircraft, most first
SELECT manufacturer, engine, count(*) AS aircraft, avg(seats) AS seats, max(speed) AS speed,
       count(speed) AS speeds, min(year) AS oldest
FROM planes
GROUP BY manufacturer, engine
HAVING count(*) > 1
ORDER BY aircraft DESC, manufacturer, engine
