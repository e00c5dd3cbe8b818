# ruff: noqa: RUF001  the ambiguous characters are the ones that people write in these languages

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread.spec import ears

ENGLISH = [
    ("THE cli SHALL a", "ubiquitous"),
    ("FOR EACH row THE cli SHALL a", "ubiquitous"),
    ("System MUST keep the draft", "ubiquitous"),
    ("WHEN x, THE cli SHALL a", "event"),
    ("When the user asks, the cli shall answer", "event"),
    ("WHEN x AND y THEN z", "event"),
    ("**WHEN** x, **THEN** it SHALL a", "event"),
    ("GIVEN x WHEN y THEN it SHALL z", "event"),
    ("**Given** x, **When** y, **Then** z", "event"),
    ("GIVEN x THE cli SHALL a", "none"),
    ("WHILE x, THE cli SHALL a", "state"),
    ("WHERE x, THE cli SHALL a", "optional"),
    ("IF x, THEN THE cli SHALL a", "unwanted"),
    ("WHILE x, WHEN y, THE cli SHALL a", "complex"),
    ("While x, when y, the cli shall a", "complex"),
    ("WHILE x IF y THEN THE cli SHALL a", "complex"),
    ("WHEN x AND WHEN y, THE cli SHALL a", "event"),
    ("WHEN x, if any, THE cli SHALL a", "event"),
    ("THE cli SHALL a WHEN b", "ubiquitous"),
    ('WHEN "IF" and `WHILE` are typed, THE cli SHALL a', "event"),
    ("Whenever x, THE cli SHALL a", "ubiquitous"),
    ("If-Match headers SHALL be sent", "ubiquitous"),
    ("BEFORE x, THE cli SHALL a", "none"),
    ("The cli prints", "none"),
    ("", "none"),
]
OTHERS = [
    ("zh", "WHEN 用户点击导出 THEN 系统 SHALL 生成文件", "event"),
    ("zh", "WHEN用户点击导出THEN系统SHALL生成文件", "event"),
    ("zh", "WHEN 用户点击 IF 未登录 THEN 系统 SHALL 跳转到登录页", "complex"),
    ("zh", "当用户点击导出时，系统应生成文件", "event"),
    ("zh", "當使用者點擊匯出時，系統應產生檔案", "event"),
    ("zh", "如果网络中断，系统必须保留草稿", "unwanted"),
    ("zh", "当用户已登录时，如果令牌过期，系统应刷新令牌", "complex"),
    ("zh", "用户点击导出时，系统应生成文件", "event"),
    ("zh", "在同步期间，系统应显示进度", "state"),
    ("zh", "系统应对输入进行校验", "ubiquitous"),
    ("zh", "当前页面的应用列表", "none"),
    ("ja", "WHEN ユーザーが検索した THEN システムは SHALL 一覧を表示する", "event"),
    ("ja", "When ユーザーが検索した, the Web Portal shall 一覧を表示する", "event"),
    ("ja", "ユーザーが検索したとき、システムは一覧を表示すること", "event"),
    ("ja", "入力が無効な場合、システムはエラーを返さなければならない", "event"),
    ("ja", "もし入力が無効ならば、システムはエラーを返す", "unwanted"),
    ("ja", "応答を生成している間、システムは進捗を表示する", "state"),
    ("ja", "システムは一覧を表示しなければならない。", "ubiquitous"),
    ("ja", "urls に Homepage を含める（任意）。", "ubiquitous"),
    ("ja", "一覧の表示", "none"),
    ("ko", "사용자가 검색할 때 시스템은 목록을 표시해야 한다", "event"),
    ("ko", "저장을 클릭하면, 시스템은 초안을 저장해야 합니다", "event"),
    ("ko", "만약 네트워크가 끊기면 시스템은 초안을 보존해야 한다", "unwanted"),
    ("ko", "시스템은 화면 목록을 표시한다.", "ubiquitous"),
    ("es", "CUANDO el usuario envía el formulario ENTONCES el sistema DEBERÁ validar los datos", "event"),
    ("es", "Si el usuario no completa los campos, el sistema deberá mostrar un aviso", "unwanted"),
    ("es", "MIENTRAS se sincroniza, CUANDO el usuario sale, el sistema DEBERÁ avisar", "complex"),
    ("es", "Al guardar la nota, el sistema debe mostrar la fecha", "event"),
    ("es", "Se debe mostrar la fecha de la nota", "ubiquitous"),
    ("es", "WHEN el usuario guarda la nota THEN el sistema SHALL mostrar la fecha", "event"),
    ("pt", "QUANDO o usuário enviar o formulário ENTÃO o sistema DEVE validar os dados", "event"),
    ("pt", "Se o usuário não preencher os campos, o sistema deve exibir um aviso", "unwanted"),
    ("pt", "SE os dados não existirem ENTÃO o sistema DEVERÁ avisar", "unwanted"),
    ("pt", "ENQUANTO os dados são carregados, o sistema DEVE exibir o progresso", "state"),
    ("ru", "КОГДА пользователь входит, ТОГДА система ДОЛЖНА показать список", "event"),
    ("ru", "ЕСЛИ сервис недоступен, ТО система ДОЛЖНА сообщить об ошибке", "unwanted"),
    ("ru", "При нажатии кнопки система должна сохранить черновик", "event"),
    ("ru", "Система должна хранить черновик", "ubiquitous"),
    ("ar", "عندما يضغط المستخدم على زر الحفظ، يجب أن يحفظ النظام المسودة", "event"),
    ("ar", "إذا انقطع الاتصال، فإن النظام يجب أن يحتفظ بالمسودة", "unwanted"),
    ("ar", "يجب أن يعرض النظام قائمة الملاحظات", "ubiquitous"),
    ("vi", "Khi người dùng bấm lưu, hệ thống PHẢI lưu bản nháp", "event"),
    ("vi", "NẾU mạng bị ngắt THÌ hệ thống PHẢI giữ bản nháp", "unwanted"),
    ("vi", "TRONG KHI đồng bộ, hệ thống PHẢI hiển thị tiến độ", "state"),
    ("vi", "WHEN người dùng bấm lưu THEN hệ thống SHALL lưu bản nháp", "event"),
]


@pytest.mark.parametrize(("text", "pattern"), ENGLISH)
def test_the_pattern_of_an_english_criterion(text, pattern):
    assert ears.pattern_of(text) == pattern


@pytest.mark.parametrize(("language", "text", "pattern"), OTHERS)
def test_the_pattern_and_the_language_of_any_other_criterion(language, text, pattern):
    assert ears.pattern_of(text) == pattern
    assert ears.language_of(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("", "en"),
        ("THE cli SHALL print JSON", "en"),
        ("THE app SHALL open the café menu of the user", "en"),
        ("THE importer SHALL keep the header 用户 of the file as it is", "en"),
        ("WHEN 修改前端代码 THEN 应用 SHALL 热重载", "zh"),
        ("WHEN MCP server 終了 THEN daemon thread も終了", "ja"),
        ("THE Syndication Service SHALL 特殊文字（XML）をエスケープする", "ja"),
        ("Le système doit afficher la liste des notes et le nom", "other"),
        ("Das System zeigt die Liste und den Namen der Notiz", "other"),
        ("Το σύστημα εμφανίζει τη λίστα", "other"),
        ("ระบบต้องแสดงรายการ", "other"),
        ("El sistema DEBE guardar la nota", "es"),
        ("O sistema DEVE salvar a nota do aluno", "pt"),
    ],
)
def test_the_language_is_that_of_the_prose(text, language):
    assert ears.language_of(text) == language
    assert ears.is_english(text) == (language == "en")


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("THE cli SHALL a and SHALL b", [2]),
        ("THE cli SHALL a. THE cli SHALL b", [1, 1]),
        ("THE cli prints", [0]),
        ("El sistema DEBERÁ a y DEBERÁ b", [2]),
        ("El sistema DEBERÁ mostrar lo que el usuario debe pagar", [1]),
        ("系统应校验必须字段", [1]),
        ("系统 SHALL 校验必须字段", [1]),
        ("システムは一覧を表示しなければならない。一覧を表示しなければならない。", [1, 1, 0]),
    ],
)
def test_modals_are_counted_by_sentence(text, counts):
    assert ears.shall_counts(text) == counts


@pytest.mark.parametrize(
    ("text", "separated", "then"),
    [
        ("WHEN a THE cli SHALL b", False, False),
        ("WHEN a, THE cli SHALL b", True, False),
        ("IF a THEN THE cli SHALL b, c", True, True),
        ("WHEN 用户点击导出 系统 SHALL 生成文件", False, False),
        ("当用户点击导出时系统应生成文件", True, False),
        ("如果网络中断，则系统必须保留草稿", True, True),
        ("CUANDO guarda la nota ENTONCES el sistema DEBERÁ avisar", True, True),
        ("ЕСЛИ сервис недоступен, ТО система ДОЛЖНА сообщить", True, True),
        ("عندما يضغط المستخدم على زر الحفظ يجب أن يحفظ النظام المسودة", True, False),
        ("저장을 클릭하면 시스템은 초안을 저장해야 한다", True, False),
    ],
)
def test_what_closes_a_condition(text, separated, then):
    assert (ears.has_separator(text), ears.has_then(text)) == (separated, then)


def test_clauses_stand_in_order_in_any_language():
    assert ears.in_clause_order(ears.condition_words("MIENTRAS a, CUANDO b, el sistema DEBERÁ c"))
    assert not ears.in_clause_order(ears.condition_words("CUANDO a, MIENTRAS b, el sistema DEBERÁ c"))


@given(st.text(), st.sampled_from(["WHEN ", "如果", "عندما ", "Se o ", "GIVEN ", ""]))
def test_any_text_is_judged(text, opening):
    plain = ears.spoken(opening + text)
    assert ears.pattern_of(opening + text) in {"ubiquitous", "event", "state", "optional", "unwanted", "complex", "none"}
    assert ears.in_clause_order(ears.condition_words(plain)) in {True, False}
    assert sum(ears.shall_counts(plain)) >= 0
    assert {ears.has_separator(plain), ears.has_then(plain), ears.is_english(plain)} <= {True, False}
