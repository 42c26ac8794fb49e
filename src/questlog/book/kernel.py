"""The Python that executes a chapter is the one that runs Questlog, with the same settings."""

from __future__ import annotations

import ipykernel.kernelspec
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from questlog.settings import Settings


class _OwnPython(KernelSpecManager):
    """Gives this interpreter whatever kernel is asked for, so that neither PATH nor a user's kernels decide."""

    variables: dict[str, str]

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        spec = ipykernel.kernelspec.get_kernel_dict()
        return KernelSpec(resource_dir=ipykernel.kernelspec.RESOURCES, env=self.variables, **spec)


def manager(settings: Settings) -> type[AsyncKernelManager]:
    """A kernel manager class whose kernels run `sys.executable` and read `settings` from their environment.

    What papermill and a kernel say to each other is encrypted: other users of the machine may listen on its loopback.
    """
    specs = _OwnPython()
    # a kernel's variables are templates, in which $$ is a dollar
    specs.variables = {name: value.replace("$", "$$") for name, value in settings.variables().items()}

    class ChapterKernel(AsyncKernelManager):
        def __init__(self, **given: object) -> None:
            super().__init__(**{"transport_encryption": "auto", **given})

        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return specs

    return ChapterKernel
