"""Limits of time and number, as files of settings say them."""

from __future__ import annotations

import os

from specthread import config


def test_limits_of_roles_agents_and_time_are_read(environ):
    user = environ / "config" / "specthread" / "config.toml"
    user.parent.mkdir(exist_ok=True)
    user.write_text(
        "[limits]\nmax_sessions = 9\nsession_timeout = 60\n[limits.roles.tester]\nmax_sessions = 1\nsession_timeout = 5\n"
        "[limits.agents.messages]\nmax_sessions = 0\n"
    )
    loaded = config.load(None, os.environ)
    crowd = loaded.settings.limits.crowd
    assert (crowd.sessions, crowd.timeout) == (9, 60)
    assert (crowd.roles, crowd.role_timeouts, crowd.agents) == ({"tester": 1}, {"tester": 5}, {})
    assert [problem.message for problem in loaded.problems] == [
        "`limits.agents.messages.max_sessions` must be a whole number, 1 or more; the value was left out."
    ]


def test_a_session_may_take_half_an_hour_unless_somebody_says_otherwise(environ):
    assert config.load(environ / "work", os.environ).settings.limits.crowd.timeout == 1800.0
    (environ / "work" / "specthread.toml").write_text("[limits]\nsession_timeout = 7200\n")
    assert config.load(environ / "work", os.environ).settings.limits.crowd.timeout == 7200.0


def test_a_repository_may_limit_the_time_of_a_session_and_no_number_of_sessions(environ):
    (environ / "work" / "specthread.toml").write_text(
        "[limits]\nmax_sessions = 9\n[limits.roles.tester]\nsession_timeout = 5\nmax_sessions = 2\n"
    )
    loaded = config.load(environ / "work", os.environ)
    crowd = loaded.settings.limits.crowd
    assert (crowd.sessions, crowd.roles, crowd.role_timeouts) == (None, {}, {"tester": 5})
    assert len(loaded.problems) == 2
    assert loaded.powers is None
