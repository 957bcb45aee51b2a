"""Which modules are converted, which tests of CPython's run over them, and what is known to differ."""

from typing import NamedTuple


class Subject(NamedTuple):
    """A module, what is converted with it, and the tests that run over them.

    name:    the row in the table
    convert: names of modules; all their functions are converted
    tests:   names of test modules
    """

    name: str
    convert: tuple[str, ...]
    tests: tuple[str, ...]


def _subject(name: str, convert: str = "", tests: str = "") -> Subject:
    modules = tuple((convert or name).split())
    return Subject(name, modules, tuple((tests or f"test.test_{name.replace('.', '')}").split()))


SUBJECTS: tuple[Subject, ...] = (
    _subject("textwrap"),
    _subject("heapq"),
    _subject("bisect"),
    _subject("statistics"),
    _subject("difflib"),
    _subject("configparser"),
    _subject("html.parser", "html html.parser _markupbase", "test.test_html test.test_htmlparser"),
    _subject("shlex"),
    _subject("csv"),
    _subject("ipaddress"),
    _subject("fractions"),
    _subject("calendar"),
    _subject("pprint"),
    _subject("json", "json json.decoder json.encoder json.scanner json.tool"),
    _subject("string"),
    _subject("reprlib"),
    _subject("fnmatch"),
    _subject("glob"),
    _subject("copy"),
    _subject("colorsys"),
    _subject("graphlib"),
    _subject("numbers", tests="test.test_abstract_numbers"),
    _subject("operator"),
    _subject("datetime", "datetime _pydatetime"),
    _subject("tokenize"),
    _subject("ast", tests="test.test_ast test.test_unparse"),
    _subject("urllib.parse", tests="test.test_urlparse"),
    _subject("quopri"),
    _subject("base64"),
    _subject("argparse"),
    _subject("optparse"),
    _subject("getopt"),
    _subject("gettext"),
    _subject("sched"),
    _subject("queue"),
    _subject("contextlib"),
    _subject("dataclasses"),
    _subject("enum"),
    _subject("types"),
    _subject("linecache"),
    _subject("dis"),
    _subject("random"),
    _subject("tomllib", "tomllib tomllib._parser tomllib._re"),
    _subject("posixpath", "genericpath posixpath ntpath", "test.test_genericpath test.test_posixpath test.test_ntpath"),
    _subject("cmd"),
    _subject("code", "code codeop", "test.test_code_module test.test_codeop"),
    _subject("plistlib"),
    _subject("pickletools"),
    _subject(
        "collections",
        "collections _collections_abc",
        "test.test_collections test.test_userdict test.test_userlist test.test_userstring",
    ),
    _subject("functools"),
    _subject("filecmp"),
    _subject("fileinput"),
    _subject("mimetypes"),
    _subject("netrc"),
    _subject("http.cookies", tests="test.test_http_cookies"),
    _subject("http.cookiejar", tests="test.test_http_cookiejar"),
    _subject("urllib.robotparser", tests="test.test_robotparser"),
    _subject("stringprep"),
    _subject("pyclbr"),
    _subject("shelve"),
    _subject("uuid"),
    _subject("hmac"),
    _subject("secrets"),
    _subject("imghdr"),
    _subject("sndhdr"),
    _subject("xdrlib"),
    _subject("weakref"),
    _subject("copyreg"),
    _subject("traceback"),
    _subject("typing"),
    _subject("inspect"),
    _subject("decimal", "_pydecimal"),
    _subject("abc", "abc _py_abc"),
    _subject("pathlib"),
    _subject("timeit"),
    _subject("stat"),
    _subject("xml.dom.minidom", "xml.dom.minidom xml.dom.expatbuilder xml.dom.xmlbuilder", "test.test_minidom"),
    _subject("keyword"),
    _subject("locale"),
    _subject("wsgiref", "wsgiref.headers wsgiref.util wsgiref.validate wsgiref.handlers"),
    _subject("re", "re re._parser re._compiler re._casefix re._constants"),
    _subject("_strptime", tests="test.test_strptime test.test_time"),
    _subject("weakset", "_weakrefset"),
    _subject("logging", "logging logging.handlers logging.config"),
    _subject("gzip"),
    _subject("bz2"),
    _subject("lzma"),
    _subject("zipfile"),
    _subject("shutil"),
    _subject("tempfile"),
    _subject("doctest"),
    _subject("pstats"),
    _subject("codecs"),
    _subject("zoneinfo", "zoneinfo zoneinfo._zoneinfo zoneinfo._common zoneinfo._tzpath"),
    _subject("mailbox"),
    _subject("symtable"),
    _subject("wave", "wave chunk"),
    _subject("selectors"),
    _subject("pkgutil"),
    _subject("platform"),
    _subject("warnings"),
    _subject("os"),
    _subject("http.client", tests="test.test_httplib"),
    _subject("urllib.request", "urllib.request urllib.error urllib.response", "test.test_urllib test.test_urllib2"),
    _subject(
        "xml.sax", "xml.sax xml.sax.expatreader xml.sax.handler xml.sax.saxutils xml.sax.xmlreader", "test.test_sax"
    ),
    _subject("email.parser", "email.parser email.feedparser email.policy email._policybase email.headerregistry"
             " email.contentmanager email.iterators email.encoders email.quoprimime email.base64mime email._encoded_words"
             " email._parseaddr email.errors email.mime.text email.mime.base email.mime.multipart",
             "test.test_email.test_email test.test_email.test_headerregistry test.test_email.test_contentmanager"
             " test.test_email.test_policy test.test_email.test_parser test.test_email.test_defect_handling"
             " test.test_email.test__encoded_words test.test_email.test__header_value_parser"
             " test.test_email.test_inversion"),
    _subject("email", "email.message email.header email.generator email._header_value_parser email.utils email.charset",
             "test.test_email.test_message test.test_email.test_generator test.test_email.test_utils"),
    _subject("unittest.mock", tests="unittest.test.testmock"),
    _subject("tarfile"),
    _subject("subprocess"),
    _subject("threading"),
    _subject("_pyio", tests="test.test_io test.test_memoryio"),
    _subject("xmlrpc", "xmlrpc.client xmlrpc.server"),
    _subject("dbm.dumb", tests="test.test_dbm_dumb"),
    _subject("cgi"),
    _subject("uu"),
    _subject("tabnanny"),
    _subject("runpy"),
    _subject("modulefinder"),
    _subject("zipapp"),
    _subject("rlcompleter"),
)

BY_NAME = {subject.name: subject for subject in SUBJECTS}

_DEPTH = "sets a recursion limit of a hundred frames: branches and loops have frames of their own"
_CODE = "looks at the code object or closure of a converted function"
_LIVES = "waits for an object to go: what lists and dictionaries held, and generators were given, lives until the trace ends"

KNOWN: dict[str, str] = {
    f"test.test_{test}": reason
    for reason, tests in {
        _DEPTH: """
            tomllib.test_misc.TestMiscellaneous.test_inline_array_recursion_limit
            tomllib.test_misc.TestMiscellaneous.test_inline_table_recursion_limit
            traceback.TracebackFormatTests.test_recursive_traceback_cpython_internal
        """,
        _CODE: """
            dis.BytecodeTests.test_info
            dis.CodeInfoTests.test_code_info
            dis.CodeInfoTests.test_show_code
            weakref.MappingTestCase.test_remove_closure
        """,
        _LIVES: """
            contextlib.ContextManagerTestCase.test_nokeepref
            optparse.TestOptionParser.test_refleak
            weakref.FinalizeTestCase.test_all_freed
        """,
    }.items()
    for test in tests.split()
}
"""Tests that cannot pass, by id, each with its reason."""
