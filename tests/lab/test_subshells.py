"""A subshell that widgets go on using is there."""

from pathlib import Path

from tests.support.jupyter import Kernel


def test_a_subshell_outlasts_the_request_to_delete_it(tmp_path: Path) -> None:
    """JupyterLab deletes, and goes on using: its messages are still answered, as before by none."""
    with Kernel(tmp_path, BPDEMO_HOME=str(tmp_path)) as kernel:
        kernel.run("from bpdemo.lab.subshells import keep_subshells; keep_subshells()")
        subshell = ask(kernel, "create_subshell_request", {})["subshell_id"]
        assert ask(kernel, "delete_subshell_request", {"subshell_id": subshell})["status"] == "ok"
        assert subshell in ask(kernel, "list_subshell_request", {})["subshell_id"]
        message = kernel.client.session.msg("kernel_info_request", {})
        message["header"]["subshell_id"] = subshell
        kernel.client.shell_channel.send(message)
        assert kernel.client.get_shell_msg(timeout=20)["content"]["status"] == "ok"


def ask(kernel: Kernel, kind: str, content: dict[str, str]) -> dict[str, str]:
    kernel.client.control_channel.send(kernel.client.session.msg(kind, content))
    answer: dict[str, str] = kernel.client.get_control_msg(timeout=20)["content"]
    return answer
