import pytest

from support.desk_story import DRAFT, DeskStory


@pytest.fixture
def story(tmp_path):
    story = DeskStory(tmp_path)
    story.planner_writes(DRAFT)
    story.planner_writes(b"# tasks\n", "tasks")
    return story
