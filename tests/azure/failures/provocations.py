"""How each failure comes about, on the bench."""

from __future__ import annotations

from registryauth.diagnosis.network import Found
from registryauth.errors import TransportError
from registryauth.testing import answers
from registryauth.testing.azure import faults

from .bench import CANARY, CLIENT_ID, HOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .bench import Bench


def entra_says(code: int, words: str, status: int = 400) -> Callable[[Bench], None]:
    """Have Entra refuse whoever asks with *code*."""
    document = {"error": "invalid_grant", "error_description": f"AADSTS{code}: {words}", "error_codes": [code]}

    def provoke(bench: Bench) -> None:
        bench.azure.fault(lambda request: answers.document(request, status, document), bench.azure.cloud.authority.host)

    return provoke


def expired(bench):
    bench.app.secrets[0].ends_at = bench.azure.now() - 86400


def wrong(bench):
    bench.give(f"{CANARY}~of-somebody-else")


def secret_id(bench):
    bench.give("11111111-2222-4333-8444-55555555c0de")


def other_application(bench):
    bench.be("99999999-0000-4000-8000-000000000009")


def object_id(bench):
    bench.be(bench.app.principal_id)


def no_tenant(bench):
    bench.live_in("22222222-0000-4000-8000-000000000009")
    wrong(bench)


def tenant_of_somebody(bench):
    """The application exists there, too, and the registry is of another tenant."""
    tenant = bench.azure.tenant("fabrikam")
    tenant.app("deploy", app_id=CLIENT_ID).add_secret(value=bench.secret)
    bench.live_in(tenant.id)


def china(bench):
    bench.setenv(REGISTRYAUTH_AZURE_CLOUD="AzureChinaCloud")


def a_name(bench):
    bench.be("deploy")


def no_role(bench):
    bench.azure.roles.assignments.clear()


def refused_at_the_door(bench):
    no_role(bench)
    bench.registry.refuse_without_role = True


def abac(bench):
    bench.registry.mode = "abac"
    bench.somebody_may_look()


def classic(bench):
    no_role(bench)
    bench.azure.assign(bench.app, "Container Registry Repository Reader", bench.registry)
    bench.somebody_may_look()


def fresh_role(bench):
    no_role(bench)
    bench.azure.assign(bench.app, "AcrPull", bench.registry, delay=600)
    bench.somebody_may_look()


def condition(bench):
    no_role(bench)
    bench.registry.mode = "abac"
    given = bench.azure.assign(bench.app, "Container Registry Repository Reader", bench.registry, repository="team/other")
    given.created_at -= 86400
    bench.somebody_may_look()


def admin_off(bench):
    bench.registry.admin_enabled = False
    bench.be("myregistry", kind="admin-user")
    bench.give(bench.registry.admin_passwords["password"])
    bench.somebody_may_look()


def admin_renewed(bench):
    bench.be("myregistry", kind="admin-user")
    bench.give(bench.registry.admin_passwords["password"])
    bench.registry.admin_passwords["password"] = f"{CANARY}renewed"
    bench.somebody_may_look()


def _token(bench, *actions):
    token = bench.registry.token("ci", *actions)
    token.passwords["password1"].value = f"{CANARY}of-the-token"
    bench.be("ci", kind="acr-token")
    bench.give(token.passwords["password1"].value)
    bench.somebody_may_look()
    return token


def token_off(bench):
    _token(bench, "repositories/team/model/content/read").enabled = False


def token_password(bench):
    _token(bench, "repositories/team/model/content/read").passwords["password1"].value = f"{CANARY}renewed"


def token_elsewhere(bench):
    _token(bench, "repositories/team/other/content/read")


def token_gone(bench):
    _token(bench, "repositories/team/model/content/read")
    bench.registry.tokens.clear()


def catalog(bench):
    _token(bench, "repositories/team/model/content/read")


def nobody(bench):
    bench.stored = False


def firewall(bench):
    bench.registry.firewall = ("198.51.100.1",)


def closed(bench):
    bench.registry.public = False
    bench.somebody_may_look()


def private_outside(bench):
    bench.network.found[HOST] = Found(("10.1.0.5",), "myregistry.privatelink.azurecr.io")
    bench.network.dropping.add(HOST)


def private_refused(bench):
    private_outside(bench)
    bench.network.dropping.clear()
    bench.network.refusing.add(HOST)


def private_by_public(bench):
    bench.network.found[HOST] = Found(("20.1.0.5",), "myregistry.privatelink.azurecr.io")
    bench.registry.public = False


def no_such_registry(bench):
    bench.network.lost.add(HOST)

    def lost(_request):
        raise TransportError(f"cannot reach https://{HOST}: Name or service not known", hint="is the address right, and is the network up?")

    bench.azure.fault(lost, HOST)


def no_data_endpoint(bench):
    bench.registry.data_endpoint = True
    bench.registry.images.blob_redirect = f"https://{bench.registry.blob_host}/registry/"
    bench.network.lost.add(bench.registry.blob_host)


def forwarded(bench):
    body = b'<?xml version="1.0"?><Error><Code>InvalidAuthenticationInfo</Code><Message>It is not in the right format</Message></Error>'
    bench.azure.fault(lambda request: answers.content(request, 400, "application/xml", body), bench.registry.blob_host)


def throttled(bench):
    bench.azure.fault(faults.throttled("", 30, bench.azure.clock, service="registry"), HOST)


def throttled_for_an_hour(bench):
    bench.azure.fault(faults.throttled("oauth2", 3600, bench.azure.clock, service="registry"), HOST)


def entra_throttled(bench):
    bench.azure.fault(faults.throttled("", 3600, bench.azure.clock, service="entra"), bench.azure.cloud.authority.host)


def management_throttled(bench):
    workspace(bench)
    bench.azure.fault(faults.throttled("", 3600, bench.azure.clock), bench.azure.cloud.management.host)


def no_acr_audience(bench):
    bench.azure.entra.audiences.discard("https://containerregistry.azure.net")


def neither_audience(bench):
    no_acr_audience(bench)
    bench.registry.arm_audience = False


def entra_token_as_password(bench):
    bench.be("00000000-0000-0000-0000-000000000001")
    bench.give(f"{CANARY}{'x' * 6200}")


def look_alike(bench):
    bench.at("myregistry.azurecr.io.evil.example")
    bench.stored = False


def slip(bench):
    bench.at("myregistry.azureecr.io")


def blank(bench):
    bench.host, bench.image = f"{HOST} ", f"{HOST}/team/model:v1 "


def data_endpoint_named(bench):
    bench.at("myregistry.westeurope.data.azurecr.io")


def not_seen(bench):
    bench.azure.registries.clear()
    no_such_registry(bench)


def portal_for(which):
    def provoke(bench):
        host = {"entra": bench.azure.cloud.authority.host, "management": bench.azure.cloud.management.host}.get(which, HOST)
        if which == "management":
            workspace(bench)
        bench.azure.fault(faults.captive_portal(), host)

    return provoke


def huge(bench):
    body = b'{"error": "' + b"x" * 10_000_000 + b'"}'
    bench.azure.fault(lambda request: answers.content(request, 401, "application/json", body), bench.azure.cloud.authority.host)


def shape_of_entra(bench):
    document = {"token_type": "Bearer", "access_token": [CANARY], "expires_in": 3599}
    bench.azure.fault(faults.wrong_shape("", document), bench.azure.cloud.authority.host)


def shape_of_exchange(bench):
    bench.azure.fault(faults.wrong_shape("oauth2/exchange", {"refresh_token": {"value": CANARY}}), HOST)


def shape_of_token(bench):
    bench.azure.fault(faults.wrong_shape("oauth2/token", {"access_token": {"value": CANARY}}), HOST)


def shape_of_workspace(bench):
    workspace(bench)
    document = {"properties": {"containerRegistry": [CANARY]}}
    bench.azure.fault(faults.wrong_shape("workspaces/my-workspace", document), bench.azure.cloud.management.host)


def skew(bench):
    bench.azure.skew = 7200


def nobody_in_az(bench):
    bench.az("echo 'ERROR: Please run '\"'az login'\"' to setup account.' >&2; exit 1")


def az_says(code, words):
    return lambda bench: bench.az(f"echo 'ERROR: AADSTS{code}: {words} {CANARY}' >&2; exit 1")


def no_machine(bench):
    bench.delenv("AZURE_CLIENT_SECRET")
    bench.setenv(REGISTRYAUTH_AZURE_CREDENTIAL="managed-identity")


def no_az(bench):
    bench.delenv("AZURE_CLIENT_SECRET")
    bench.setenv(REGISTRYAUTH_AZURE_CREDENTIAL="azure-cli")


def workspace(bench, **settings):
    """A workspace of that registry, configured, and somebody who may read both."""
    bench.azure.assign(bench.app, "Reader")
    made = bench.azure.workspace("my-workspace", registry=bench.registry)
    more = "".join(f"{name} = {value}\n" for name, value in settings.items())
    bench.configure(f'[workspaces.my-workspace]\nid = "{made.id}"\n{more}')
    bench.stored = False
    return made


def no_registry_yet(bench):
    workspace(bench).registry = None


def registry_deleted(bench):
    workspace(bench)
    bench.azure.registries.clear()


def keys_out_of_date(bench):
    workspace(bench, allow_admin_user="true")
    bench.azure.assign(bench.app, "Contributor")
    bench.registry.admin_passwords = {"password": f"{CANARY}new1", "password2": f"{CANARY}new2"}


def keys_refused(bench):
    workspace(bench, allow_admin_user="true")


def may_not_look(bench):
    workspace(bench)
    no_role(bench)
