"""The words of spec documents in the languages they are written in: headings, labels, and entries that stand for everything or nothing.

Source: what about 1,000 documents of public repositories use. Matching ignores case; a word list here never decides what a sentence means.
"""

import re
from collections.abc import Iterable
from typing import Final

COLON: Final = r"[:\uff1a]"


def any_of(words: Iterable[str]) -> str:
    """The alternatives as a piece of a regular expression, the longest first, blanks in any number."""
    return "|".join(re.escape(word).replace(r"\ ", r"[ \t]*") for word in sorted(words, key=len, reverse=True))


REQUIREMENT: Final = (
    *("Requirement", "User Story", "Functional Requirement"),
    *("需求", "要求", "要件", "요구사항", "요구 사항"),
    *("Requisito", "Requerimiento", "Требование", "المتطلب", "متطلب", "Yêu cầu"),
)
REQUIREMENTS: Final = (
    *("Requirements", "Functional Requirements"),
    *("需求", "功能需求", "要件", "機能要件", "要求", "요구사항", "요구 사항", "기능 요구사항"),
    *("Requisitos", "Requisitos Funcionales", "Requisitos Funcionais", "Requerimientos", "Требования", "Функциональные требования"),
    *("المتطلبات", "Yêu cầu", "Các yêu cầu"),
)
STORY: Final = (
    *("User Story", "Objective", "Story"),
    *("用户故事", "用戶故事", "使用者故事", "目的", "目标", "目標", "ユーザーストーリー", "사용자 스토리", "목적"),
    *("Historia de Usuario", "História de Usuário", "Objetivo", "Пользовательская история", "قصة المستخدم"),
    *("Câu chuyện người dùng", "Mục tiêu"),
)
CRITERIA: Final = (
    *("Acceptance Criteria", "Acceptance Criterion", "Acceptance Scenarios"),
    *("验收标准", "验收条件", "驗收標準", "驗收條件", "受入基準", "受け入れ基準", "受入れ基準", "受け入れ条件", "受入条件"),
    *("인수 기준", "인수 조건", "수용 기준", "수락 기준"),
    *("Criterios de Aceptación", "Critérios de Aceitação", "Критерии приемки", "Критерии приёмки", "معايير القبول"),
    *("Tiêu chí chấp nhận", "Tiêu chí nghiệm thu"),
)
REQUIREMENT_LABELS: Final = (
    *("Requirements", "Requirement", "Reqs", "Req", "Requirements Coverage"),
    *("需求", "需求映射", "对应需求", "要件", "対応要件", "요구사항", "요구 사항"),
    *("Requisitos", "Requisito", "Requerimientos", "Требования", "Требование", "المتطلبات", "Yêu cầu"),
)
OPEN_QUESTIONS: Final = (
    *("Open Questions", "Open Question"),
    *(
        "未解决问题",
        "待解决问题",
        "未決事項",
        "미해결 질문",
        "Preguntas abiertas",
        "Perguntas em aberto",
        "Открытые вопросы",
        "Offene Fragen",
    ),
)
VALIDATES_LABELS: Final = ("Validates", "验证", "驗證", "検証", "검증", "Valida", "Проверяет")
DEPENDS_LABELS: Final = (
    *("Depends", "Depends on", "Dependencies", "Dependency", "Blocked by"),
    *("依赖", "依賴", "依存", "의존", "의존성", "Depende de", "Dependencias", "Dependências", "Зависит от", "Зависимости", "Phụ thuộc"),
)
ALL: Final = frozenset(
    {"all", "all requirements", "所有", "所有需求", "全部", "全部需求", "全要件", "すべて", "전체", "모두", "todos", "todas"}
) | {
    "todos los requisitos",
    "todos os requisitos",
    "все",
    "все требования",
    "الكل",
    "جميع المتطلبات",
    "tất cả",
}
NOTHING: Final = frozenset({"none", "n/a", "na", "-", "\u2014", "无", "無", "なし", "없음", "ninguno", "nenhum", "нет", "لا يوجد", "không"})
