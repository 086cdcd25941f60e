from __future__ import annotations

import base64
import json
import os
import stat

import pytest

from registryauth.stores import open_store
from registryauth.stores.principal import Principal

from .conftest import CANARY

PASSPHRASE = "correct horse battery"


@pytest.fixture
def put(tmp_path):
    """Write a file of the user's own; its path."""

    def put(content, name="list.csv", mode=0o600):
        path = tmp_path / name
        path.write_text(content)
        path.chmod(mode)
        return path

    return put


@pytest.fixture
def imported(cli, put):
    """Import a CSV list of *rows* without their header."""
    return lambda *rows, options=(), mode=0o600: cli(
        "principal", "import", put("registry,client_id,secret,owner\n" + "\n".join(rows), mode=mode), *options
    )


def test_a_list_is_registered_in_one_go(imported, kept, tmp_path):
    done = imported(f"r.example,id-1,{CANARY},ml", f"s.example/team,id-2,{CANARY}2,")
    assert done.status == 0, done.err
    assert done.out == ""
    assert done.err.splitlines() == [
        f"Imported 2 principals from {tmp_path}/list.csv (csv): 2 new, 0 replaced.",
        "No registry was asked: 'registryauth principal verify --all' asks each.",
        f"{tmp_path}/list.csv still holds the secrets in plain text: delete it.",
    ]
    assert [(str(p.address), p.account, p.kind, p.owner, p.made_by, p.slots[0].secret) for p in kept()] == [
        ("r.example", "id-1", "service-principal", "ml", "admin", CANARY),
        ("s.example/team", "id-2", "service-principal", "", "admin", CANARY + "2"),
    ]


def test_one_fault_and_nothing_is_registered(imported, kept):
    done = imported(f"r.example,id-1,{CANARY},", f"s.example,,{CANARY},", f"t.example,id:3,{CANARY},")
    assert (done.status, kept()) == (2, [])
    assert "has 2 faults; nothing was imported\n  line 3, column 2 (account): " in done.err
    assert "  line 4, column 2 (account): " in done.err
    assert CANARY not in done.err


def test_a_dry_run_says_what_it_would_do_and_does_nothing(imported, kept, keep):
    keep("r.example", "id-1", "old")
    done = imported(f"r.example,id-1,{CANARY},", f"s.example,id-2,{CANARY},", options=("--dry-run", "--replace"))
    assert done.status == 0, done.err
    assert [line.split()[:3] for line in done.out.splitlines()] == [
        ["ACTION", "REGISTRY", "ACCOUNT"], ["replace", "r.example", "id-1"], ["add", "s.example", "id-2"],
    ]  # fmt: skip
    assert "Would import 2 principals" in done.err
    assert "1 new, 1 replaced." in done.err
    assert [record.slots[0].secret for record in kept()] == ["old"]
    assert CANARY not in done.out + done.err


def test_a_dry_run_finds_what_is_in_the_way(imported, keep):
    keep("r.example", "id-1", "old")
    done = imported(f"r.example,id-1,{CANARY},", options=("--dry-run",))
    assert done.status == 5
    assert "line 2: id-1 at r.example" in done.err


@pytest.mark.parametrize(("option", "secret"), [("", "old"), ("--skip-existing", "old"), ("--replace", CANARY)])
def test_what_is_registered_already_is_touched_only_if_that_is_said(imported, kept, keep, option, secret):
    keep("r.example", "id-1", "old", owner="mine", purpose="p")
    done = imported(f"r.example,id-1,{CANARY},", "s.example,id-2,x,", options=[option] if option else [])
    records = {str(record.address): record for record in kept()}
    assert (done.status, len(records)) == ((0, 2) if option else (5, 1)), done.err
    assert (records["r.example"].slots[0].secret, records["r.example"].owner, records["r.example"].purpose) == (secret, "mine", "p")


def test_the_result_is_there_as_json_for_programs(imported, keep):
    keep("r.example", "id-1", "old")
    done = imported(f"r.example,id-1,{CANARY},", f"s.example,id-2,{CANARY},", options=("--skip-existing", "--output", "json"))
    assert json.loads(done.out) == {
        "version": 1,
        "form": "csv",
        "dry_run": False,
        "added": 1,
        "replaced": 0,
        "left": 1,
        "principals": [
            {"action": "leave", "address": "r.example", "account": "id-1", "kind": "user"},
            {"action": "add", "address": "s.example", "account": "id-2", "kind": "service-principal"},
        ],
        "skipped": [],
    }


def test_a_file_that_others_can_read_is_warned_of_and_read(imported, kept):
    done = imported(f"r.example,id-1,{CANARY},", mode=0o644)
    assert (done.status, len(kept())) == (0, 1)
    assert "warning: other users can read" in done.err
    assert "warning" not in imported("s.example,id-1,x,").err


def test_what_comes_through_a_pipe_leaves_nothing_to_be_deleted(cli, kept):
    done = cli("principal", "import", "-", stdin=f"registry,account,secret\nr.example,me,{CANARY}\n")
    assert (done.status, len(kept())) == (0, 1)
    assert "delete" not in done.err
    assert "from - (csv)" in done.err


def test_registries_are_asked_first_where_that_is_said(imported, online, kept, sent):
    done = imported(f"r.example,me,{CANARY},", f"s.example,me,{CANARY},", options=("--verify",))
    assert done.status == 0, done.err
    assert "asks each" not in done.err
    assert all(record.verified_at for record in kept())
    assert {url.partition("//")[2].partition("/")[0] for url in sent()} == {"r.example", "s.example"}


def test_one_that_is_not_taken_and_nothing_is_registered(imported, online, kept):
    done = imported(f"r.example,me,{CANARY},", "s.example,me,wrong-77,", options=("--verify",))
    assert (done.status, kept()) == (4, [])
    assert "1 principal was not taken by the registry; nothing was imported\n  me at s.example: " in done.err
    assert "wrong-77" not in done.err


def test_nothing_is_sent_about_what_is_in_the_way(imported, online, keep, sent):
    keep("r.example", "me", "old")
    assert imported(f"r.example,me,{CANARY},", options=("--verify",)).status == 5
    assert sent() == []


@pytest.fixture
def docker_file(put):
    encoded = base64.b64encode(f"me:{CANARY}".encode()).decode()
    return put(
        json.dumps({"auths": {"r.example": {"auth": encoded}, "s.example": {}}, "credHelpers": {"t.example": "gone"}}), "config.json"
    )


def test_docker_s_file_is_imported_and_what_is_not_there_is_named(cli, docker_file, kept):
    done = cli("principal", "import", docker_file)
    assert done.status == 0, done.err
    assert "skipped auths.s.example: an empty marker: there is no secret" in done.err
    assert "skipped credHelpers.t.example: the helper gone keeps its secret, and was not asked (--with-helpers)" in done.err
    assert "(docker): 1 new, 0 replaced, 2 skipped." in done.err
    assert "the logout of the tool that wrote it removes them" in done.err
    [record] = kept()
    assert (str(record.address), record.account, record.kind, record.made_by) == ("r.example", "me", "user", "admin")


def test_a_helper_that_should_be_asked_and_is_not_there_imports_nothing(cli, docker_file, kept):
    done = cli("principal", "import", docker_file, "--with-helpers")
    assert (done.status, kept()) == (1, [])
    assert "docker-credential-gone is not on PATH" in done.err


def test_a_helper_is_asked(cli, put, kept, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "docker-credential-team"
    program.parent.mkdir()
    answers = {"list": {"r.example": "me"}, "get": {"ServerURL": "r.example", "Username": "me", "Secret": CANARY}}
    program.write_text(
        "#!/bin/sh\ncat > /dev/null\ncase $1 in\n"
        + "".join(f"{verb}) echo '{json.dumps(said)}';;\n" for verb, said in answers.items())
        + "esac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    done = cli("principal", "import", put('{"credsStore": "team"}', "config.json"), "--with-helpers")
    assert done.status == 0, done.err
    assert [record.slots[0].secret for record in kept()] == [CANARY]


def test_what_a_login_made_can_be_imported_as_such(imported, kept):
    imported(f"r.example,me,{CANARY},", options=("--made-by", "login"))
    assert kept()[0].made_by == "login"


def test_a_file_without_any_credential_is_not_found(cli, put, imported):
    assert cli("principal", "import", put('{"auths": {"r.example": {}}}', "config.json")).status == 3
    assert imported().status == 3


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--from", "xml"), "--from is one of auto, docker"),
        (("--made-by", "docker"), "--made-by is admin or login"),
        (("--replace", "--skip-existing"), "exclude each other"),
    ],
)
def test_options_that_make_no_sense_are_status_2(imported, kept, options, complaint):
    done = imported(f"r.example,me,{CANARY},", options=options)
    assert (done.status, kept()) == (2, [])
    assert complaint in done.err


def test_the_store_itself_is_not_imported_into_itself(cli, keep, home):
    keep("r.example")
    done = cli("principal", "import", home / ".local/share/registryauth/store.db")
    assert done.status == 2
    assert "that is the store into which" in done.err


def test_another_store_is_imported_whole(cli, kept, tmp_path):
    store = open_store(str(tmp_path / "o" / "s.db"), "file", str(tmp_path / "k" / "o.key"), {})
    from registryauth.reference import Address
    from registryauth.stores.principal import Slot

    record = store.put(Principal(Address.parse("r.example"), "me", (Slot(CANARY, 5), Slot("older", 4)), made_by="docker", disabled_at=3))
    store.close()
    done = cli("principal", "import", tmp_path / "o" / "s.db", "--key-file", tmp_path / "k" / "o.key")
    assert done.status == 0, done.err
    assert [found.replace(revision=0) for found in kept()] == [record.replace(revision=0)]
    assert "plain text" not in done.err


@pytest.fixture
def bundle(cli, keep, tmp_path, monkeypatch):
    """A bundle of two principals, which are in the store; its path."""
    monkeypatch.setenv("REGISTRYAUTH_BUNDLE_PASSPHRASE", PASSPHRASE)
    keep("r.example", owner="o")
    keep("s.example/team", secret=CANARY + "2")
    path = tmp_path / "b.bundle"
    done = cli("principal", "export", "--output-file", path)
    assert done.status == 0, done.err
    assert done.out == ""
    assert done.err == f"Wrote 2 principals to {path}, encrypted; nobody can open it without the passphrase.\n"
    return path


def test_a_bundle_carries_everything_to_another_store(cli, bundle, kept, monkeypatch, tmp_path):
    before = kept()
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", str(tmp_path / "new" / "store.db"))
    done = cli("principal", "import", bundle)
    assert done.status == 0, done.err
    assert "(bundle): 2 new" in done.err
    assert "still holds" not in done.err
    store = open_store(str(tmp_path / "new" / "store.db"), environ=os.environ)
    assert [record.replace(revision=0) for record in store.list()] == [record.replace(revision=0) for record in before]
    store.close()


def test_a_bundle_is_private_and_shows_nothing(bundle):
    assert stat.S_IMODE(bundle.stat().st_mode) == 0o600
    assert CANARY.encode() not in bundle.read_bytes()
    assert [path.name for path in bundle.parent.iterdir()] == ["b.bundle"]


@pytest.mark.parametrize("spoil", ["wrong passphrase", "cut short", "changed"])
def test_a_bundle_that_does_not_open_imports_nothing(cli, bundle, monkeypatch, tmp_path, spoil):
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", str(tmp_path / "new" / "store.db"))
    data = bundle.read_bytes()
    if spoil == "wrong passphrase":
        monkeypatch.setenv("REGISTRYAUTH_BUNDLE_PASSPHRASE", "another passphrase")
    else:
        bundle.write_bytes(data[:-1] if spoil == "cut short" else data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    done = cli("principal", "import", bundle)
    assert done.status == 5
    assert ("not the passphrase" if spoil == "wrong passphrase" else "cut short, damaged or tampered with") in done.err
    assert not (tmp_path / "new").exists()


def test_without_a_passphrase_or_a_terminal_nothing_is_written(cli, keep, tmp_path, bundle, monkeypatch):
    monkeypatch.delenv("REGISTRYAUTH_BUNDLE_PASSPHRASE")
    for done in (cli("principal", "export", "--output-file", tmp_path / "x"), cli("principal", "import", bundle, "--replace")):
        assert done.status == 2
        assert "set REGISTRYAUTH_BUNDLE_PASSPHRASE" in done.err
    assert not (tmp_path / "x").exists()


def test_a_passphrase_is_asked_for_twice(cli, keep, tmp_path, monkeypatch):
    keep("r.example")
    typed = iter([PASSPHRASE, PASSPHRASE, PASSPHRASE, "other", PASSPHRASE])
    monkeypatch.setattr("registryauth.cli.principal.bundle_passphrase.has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda *_, **__: next(typed))
    assert cli("principal", "export", "--output-file", tmp_path / "one").status == 0
    done = cli("principal", "export", "--output-file", tmp_path / "two")
    assert (done.status, (tmp_path / "two").exists()) == (2, False)
    assert "the two passphrases differ" in done.err
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", str(tmp_path / "new" / "store.db"))
    assert cli("principal", "import", tmp_path / "one").status == 0


def test_a_short_passphrase_is_refused(cli, keep, tmp_path, monkeypatch):
    keep("r.example")
    monkeypatch.setenv("REGISTRYAUTH_BUNDLE_PASSPHRASE", "short")
    done = cli("principal", "export", "--output-file", tmp_path / "x")
    assert (done.status, (tmp_path / "x").exists()) == (2, False)
    assert "at least 12 characters" in done.err


def test_a_file_that_is_there_is_written_over_only_if_that_is_said(cli, bundle):
    before = bundle.read_bytes()
    done = cli("principal", "export", "--output-file", bundle)
    assert (done.status, bundle.read_bytes()) == (2, before)
    assert "--force" in done.err
    assert cli("principal", "export", "--output-file", bundle, "--force").status == 0
    assert bundle.read_bytes() != before


def test_a_file_that_appears_while_a_passphrase_is_typed_is_not_written_over(cli, keep, tmp_path, monkeypatch):
    def typing(*_, **__):
        (tmp_path / "x").write_text("mine")
        return PASSPHRASE

    keep("r.example")
    monkeypatch.setattr("registryauth.cli.principal.bundle_passphrase.has_terminal", lambda: True)
    monkeypatch.setattr("getpass.getpass", typing)
    done = cli("principal", "export", "--output-file", tmp_path / "x")
    assert (done.status, (tmp_path / "x").read_text()) == (2, "mine")
    assert "--force" in done.err


@pytest.mark.parametrize("form", ["csv", "toml"])
def test_plain_text_is_written_only_where_that_is_said(cli, keep, tmp_path, form):
    keep("r.example")
    path = tmp_path / "list"
    for options in ((), ("--output-file", path)):
        done = cli("principal", "export", "--format", form, *options)
        assert (done.status, done.out, path.exists()) == (2, "", False)
        assert "--show-secret" in done.err
    done = cli("principal", "export", "--format", form, "--show-secret")
    assert done.status == 0, done.err
    assert CANARY in done.out
    assert CANARY not in done.err
    done = cli("principal", "export", "--format", form, "--show-secret", "--output-file", path)
    assert (done.status, done.out, stat.S_IMODE(path.stat().st_mode)) == (0, "", 0o600)
    assert CANARY in path.read_text()


@pytest.mark.parametrize("form", ["csv", "toml"])
def test_a_list_that_was_exported_is_imported(cli, keep, kept, tmp_path, monkeypatch, form):
    keep("r.example", "me", " sé:cret,\"'")
    cli("principal", "export", "--format", form, "--show-secret", "--output-file", tmp_path / "list")
    monkeypatch.setenv("REGISTRYAUTH_STORE_PATH", str(tmp_path / "new" / "store.db"))
    done = cli("principal", "import", tmp_path / "list")
    assert done.status == 0, done.err
    store = open_store(str(tmp_path / "new" / "store.db"), environ=os.environ)
    assert store.list()[0].slots[0].secret == " sé:cret,\"'"
    store.close()


def test_a_bundle_is_no_text_for_a_terminal_and_goes_through_a_pipe(cli, bundle, terminal):
    done = cli("principal", "export", "r.example")
    assert (done.status, done.raw[:20]) == (0, b"registryauth-bundle ")
    terminal()
    done = cli("principal", "export", "r.example")
    assert (done.status, done.raw) == (2, b"")


def test_a_disabled_principal_is_left_out_of_a_list_which_would_enable_it(cli, keep):
    keep("r.example", disabled_at=1)
    done = cli("principal", "export", "--format", "csv", "--show-secret")
    assert (done.status, done.out) == (1, "")
    keep("s.example")
    done = cli("principal", "export", "--format", "csv", "--show-secret")
    assert done.status == 0
    assert "left out r.example: it is disabled" in done.err
    assert "r.example" not in done.out


def test_only_what_is_named_is_exported(cli, keep, monkeypatch):
    keep("r.example")
    keep("s.example")
    done = cli("principal", "export", "s.example", "--format", "csv", "--show-secret")
    assert len(done.out.splitlines()) == 2
    assert done.out.splitlines()[1].startswith("s.example,me,")
    assert cli("principal", "export", "t.example", "--format", "csv", "--show-secret").status == 3
    assert cli("principal", "export", "--format", "xml").status == 2


def test_a_place_that_cannot_be_written_is_no_fault_of_the_store(cli, keep, tmp_path, monkeypatch):
    monkeypatch.setenv("REGISTRYAUTH_BUNDLE_PASSPHRASE", PASSPHRASE)
    keep("r.example")
    done = cli("principal", "export", "--output-file", tmp_path / "none" / "x")
    assert done.status == 1
    assert "cannot be written" in done.err


def test_both_are_in_the_audit_log_without_a_secret(cli, bundle, imported, home):
    imported(f"t.example,me,{CANARY},")
    log = next(home.rglob("audit.log")).read_text()
    events = [json.loads(line) for line in log.splitlines()]
    assert [(e["event"], e["count"], e["detail"]) for e in events if e["event"] in ("imported", "exported")] == [
        ("exported", 2, f"bundle {bundle}"), ("imported", 1, "csv"),
    ]  # fmt: skip
    assert CANARY not in log


def test_a_deploy_file_of_azure_mls_is_known_by_its_content_and_said_to_hold_its_secret_still(cli, put, kept, tmp_path):
    registry = {"address": "deploy.azurecr.io", "username": "deploy", "password": CANARY}
    file = put(
        json.dumps({"entryScript": "score.py", "environment": {"docker": {"baseImage": "x:v1", "baseImageRegistry": registry}}}), "ic.json"
    )
    done = cli("principal", "import", file)
    assert done.status == 0, done.err
    assert [(str(p.address), p.account, p.slots[0].secret) for p in kept()] == [("deploy.azurecr.io", "deploy", CANARY)]
    assert f"{file} still holds the secret in plain text: take it out" in done.err
    assert CANARY not in done.out + done.err


def test_a_deploy_file_without_a_secret_is_nothing_to_import(cli, put, kept):
    done = cli("principal", "import", put('{"entryScript": "score.py", "baseImage": "mcr.microsoft.com/azureml/base:1"}', "ic.json"))
    assert (done.status, kept()) == (3, [])
    assert "skipped baseImageRegistry: it has no user name and password" in done.err
