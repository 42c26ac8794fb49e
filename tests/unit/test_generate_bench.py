"""What Apache Bench's report says.

The reports are ab 2.3's own, run against a small local server; only blanks at the ends of lines are left out.
"""

import pytest

from questlog.errors import GenerateError, SettingsError
from questlog.generate.bench import parse
from questlog.generate.load import load
from questlog.settings import Settings

URL = "http://127.0.0.1:18099/x"
MANY = """\
This is ApacheBench, Version 2.3 <$Revision$>
Copyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/
Licensed to The Apache Software Foundation, http://www.apache.org/

Benchmarking 127.0.0.1 (be patient).....done


Server Software:        BaseHTTP/0.6
Server Hostname:        127.0.0.1
Server Port:            18099

Document Path:          /x
Document Length:        Variable

Concurrency Level:      4
Time taken for tests:   2.204 seconds
Complete requests:      200
Failed requests:        0
Keep-Alive requests:    200
Total transferred:      36600 bytes
HTML transferred:       3000 bytes
Requests per second:    90.74 [#/sec] (mean)
Time per request:       44.083 [ms] (mean)
Time per request:       11.021 [ms] (mean, across all concurrent requests)
Transfer rate:          16.22 [Kbytes/sec] received

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.1      0       1
Processing:     1   44   6.4     44      56
Waiting:        0    1   1.6      0      15
Total:          1   44   6.4     44      56

Percentage of the requests served within a certain time (ms)
  50%     44
  66%     44
  75%     45
  80%     45
  90%     48
  95%     49
  98%     55
  99%     56
 100%     56 (longest request)
"""
PERCENTILES = """\
Percentage served,Time in ms
0,0.965
1,3.912
2,40.982
3,42.075
4,42.296
5,42.386
6,43.094
7,43.205
8,43.327
9,43.365
10,43.416
11,43.422
12,43.453
13,43.464
14,43.483
15,43.513
16,43.569
17,43.629
18,43.670
19,43.696
20,43.701
21,43.707
22,43.721
23,43.750
24,43.772
25,43.804
26,43.878
27,43.879
28,43.894
29,43.923
30,43.929
31,43.956
32,43.960
33,43.963
34,43.965
35,43.973
36,43.976
37,43.979
38,43.981
39,43.983
40,43.986
41,43.989
42,43.991
43,43.995
44,43.997
45,43.999
46,44.006
47,44.013
48,44.020
49,44.024
50,44.025
51,44.040
52,44.041
53,44.043
54,44.047
55,44.057
56,44.070
57,44.082
58,44.141
59,44.148
60,44.185
61,44.237
62,44.264
63,44.268
64,44.279
65,44.308
66,44.347
67,44.364
68,44.376
69,44.410
70,44.436
71,44.476
72,44.550
73,44.575
74,44.605
75,44.618
76,44.634
77,44.686
78,44.743
79,44.750
80,44.785
81,44.874
82,45.063
83,45.933
84,47.468
85,47.497
86,47.503
87,47.651
88,47.880
89,47.974
90,47.991
91,48.017
92,48.033
93,48.065
94,48.275
95,48.594
96,48.643
97,54.598
98,55.093
99,55.971
100,55.975
"""
BATCH = """\
This is ApacheBench, Version 2.3 <$Revision$>
Copyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/
Licensed to The Apache Software Foundation, http://www.apache.org/

Benchmarking 127.0.0.1 (be patient)...INFO: POST header ==
---
POST /events HTTP/1.0
Content-length: 8
Content-type: application/x-ndjson
Host: 127.0.0.1:18099
User-Agent: ApacheBench/2.3
Accept: */*


---
LOG: header received:
HTTP/1.1 200 OK
Server: BaseHTTP/0.6 Python/3.11.7
Date: Mon, 23 Nov 2026 23:04:00 GMT
Content-Type: application/json
Content-Length: 15

{"accepted": 1}
..done


Server Software:        BaseHTTP/0.6
Server Hostname:        127.0.0.1
Server Port:            18099

Document Path:          /events
Document Length:        Variable

Concurrency Level:      1
Time taken for tests:   0.001 seconds
Complete requests:      1
Failed requests:        0
Total transferred:      159 bytes
Total body sent:        153
HTML transferred:       15 bytes
Requests per second:    821.69 [#/sec] (mean)
Time per request:       1.217 [ms] (mean)
Time per request:       1.217 [ms] (mean, across all concurrent requests)
Transfer rate:          127.59 [Kbytes/sec] received
                        122.77 kb/s sent
                        250.36 kb/s total

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.0      0       0
Processing:     1    1   0.0      1       1
Waiting:        1    1   0.0      1       1
Total:          1    1   0.0      1       1
"""
REFUSED = """\
This is ApacheBench, Version 2.3 <$Revision$>
Copyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/
Licensed to The Apache Software Foundation, http://www.apache.org/

Benchmarking 127.0.0.1 (be patient)...INFO: GET header ==
---
GET /bad?x=1 HTTP/1.0
Host: 127.0.0.1:18099
User-Agent: ApacheBench/2.3
Accept: */*


---
LOG: header received:
HTTP/1.1 400 Bad Request
Server: BaseHTTP/0.6 Python/3.11.7
Date: Mon, 23 Nov 2026 23:04:00 GMT
Content-Type: application/json
Content-Length: 34


WARNING: Response code not 2xx (400)
..done


Server Software:        BaseHTTP/0.6
Server Hostname:        127.0.0.1
Server Port:            18099

Document Path:          /bad?x=1
Document Length:        Variable

Concurrency Level:      1
Time taken for tests:   0.003 seconds
Complete requests:      1
Failed requests:        0
Non-2xx responses:      1
Total transferred:      187 bytes
HTML transferred:       34 bytes
Requests per second:    368.87 [#/sec] (mean)
Time per request:       2.711 [ms] (mean)
Time per request:       2.711 [ms] (mean, across all concurrent requests)
Transfer rate:          67.36 [Kbytes/sec] received

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.0      0       0
Processing:     3    3   0.0      3       3
Waiting:        1    1   0.0      1       1
Total:          3    3   0.0      3       3
"""
EMPTY = """\
This is ApacheBench, Version 2.3 <$Revision$>
Copyright 1996 Adam Twiss, Zeus Technology Ltd, http://www.zeustech.net/
Licensed to The Apache Software Foundation, http://www.apache.org/

Benchmarking 127.0.0.1 (be patient)...INFO: GET header ==
---
GET /x HTTP/1.0
Host: 127.0.0.1:18097
User-Agent: ApacheBench/2.3
Accept: */*


---
..done


Server Software:
Server Hostname:        127.0.0.1
Server Port:            18097

Document Path:          /x
Document Length:        Variable

Concurrency Level:      1
Time taken for tests:   0.000 seconds
Complete requests:      1
Failed requests:        0
Total transferred:      0 bytes
HTML transferred:       0 bytes
Requests per second:    2403.85 [#/sec] (mean)
Time per request:       0.416 [ms] (mean)
Time per request:       0.416 [ms] (mean, across all concurrent requests)
Transfer rate:          0.00 [Kbytes/sec] received

Connection Times (ms)
              min  mean[+/-sd] median   max
Connect:        0    0   0.0      0       0
Processing:     0    0   0.0      0       0
Waiting:        0    0   0.0      0       0
Total:          0    0   0.0      0       0
"""


def test_a_run_of_many_requests_gives_rates_and_percentiles() -> None:
    result = parse(URL, MANY, PERCENTILES)

    assert (result.complete, result.failed, result.non_2xx, result.keep_alive) == (200, 0, 0, 200)
    assert (result.concurrency, result.accepted, result.transferred_bytes) == (4, 200, 36_600)
    assert (result.seconds, result.requests_per_second, result.mean_ms) == (2.204, 90.74, 44.083)
    assert (result.p50_ms, result.p95_ms, result.p99_ms, result.longest_ms) == (44.025, 48.594, 55.971, 55.975)


def test_an_accepted_body_shows_its_status_and_answer() -> None:
    result = parse(URL, BATCH)

    assert (result.accepted, result.non_2xx, result.status) == (1, 0, 200)
    assert result.answer == '{"accepted": 1}'
    assert result.p50_ms is None


def test_a_refused_request_shows_its_status() -> None:
    result = parse(URL, REFUSED)

    assert (result.complete, result.accepted, result.non_2xx, result.status) == (1, 0, 1, 400)


def test_an_empty_answer_is_not_taken_for_an_accepted_request() -> None:
    with pytest.raises(GenerateError, match="closed the connection without an answer"):
        parse(URL, EMPTY)


def test_a_report_without_its_figures_is_refused() -> None:
    with pytest.raises(GenerateError, match="has no line 'Concurrency Level'"):
        parse(URL, "This is ApacheBench, Version 2.3\n")


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"processes": 0}, "processes is 0; it must be from 1 to 64"),
        ({"requests": 3, "processes": 4}, "requests is 3; it must be from 4"),
        ({"concurrency": 20_001}, "concurrency is 20001; it must be from 1 to 20000"),
        ({"batch_size": 1_001}, "batch_size is 1001; it must be from 1 to 1000"),
        ({"event_type": "no_such_type"}, "no_such_type"),
    ],
)
def test_a_load_out_of_its_limits_is_refused_with_value_and_limit(asked: dict[str, int], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        load(Settings.load(), **asked)  # type: ignore[arg-type]
