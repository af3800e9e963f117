"""A network as a graph that OpenVINO compiles for this processor: the same numbers, sooner.

Needs OpenVINO: ``pip install 'fdpose[openvino]'``. Convolutions and what follows them become one operation, in a layout
of the processor's own; threads do not wait for each other at every layer, so a busy machine costs less. What it gains:
``docs/experiments/speed.md``. Numbers of eight bits, which it also knows, are not used: they move joints.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, Literal

from finediving_pose.errors import PoseError, SetupError, first_line

Engine = Literal["torch", "openvino"]
"""What computes a network."""


def compiled(model: Any, example: Any, *, bf16: bool, id: str) -> Callable[[Any], Any]:
    """What ``model(inputs, None, mode="tensor")`` gives, as a compiled graph: a function of the inputs.

    Parameters
    ----------
    model : mmpose's, in float32, on the processor
    example : inputs, float (n, 3, height, width); the graph takes them of any number and size
    bf16 : compute in bfloat16 where that is safe
    id : the estimator's, for errors

    Raises
    ------
    SetupError
        OpenVINO is not installed.
    PoseError
        OpenVINO can't compile this model.
    """
    import torch

    openvino = _without_telemetry()
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "ENABLE_CPU_PINNING": False,  # or two processes of one thread each would share one core
    }
    try:
        graph = _converted(model, example)
        graph.reshape([-1, 3, -1, -1])
        network = openvino.Core().compile_model(graph, "CPU", settings)
    except (RuntimeError, TypeError, ValueError, KeyError) as e:
        raise PoseError(f"{id}: OpenVINO can't compile this model ({first_line(e)}); leave --engine out") from e

    def outputs(inputs: Any) -> Any:
        found = [torch.from_numpy(array) for array in network([inputs.contiguous().numpy()]).to_tuple()]
        return tuple(found) if len(found) > 1 else found[0]

    return outputs


def _without_telemetry() -> Any:
    """The module ``openvino``, which reports its use to its makers as soon as it is imported, unless
    ``openvino_telemetry`` is missing. Raises SetupError where OpenVINO itself is.
    """
    name = "openvino_telemetry"
    there = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        import openvino
    except ImportError as e:
        raise SetupError(f"OpenVINO is missing ({e}); install it with: pip install 'fdpose[openvino]'") from e
    finally:
        del sys.modules[name]
        if there:
            sys.modules[name] = there
    return openvino


def _converted(model: Any, example: Any) -> Any:
    """The model as OpenVINO's graph."""
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    class Tensors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, inputs: Any) -> Any:
            return self.model(inputs, None, mode="tensor")

    with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is said to be old; its graph is compared with the model by the tests
        traced = TorchScriptPythonDecoder(Tensors().eval(), example_input=(example,))
    reader = FrontEndManager().load_by_framework("pytorch")
    return reader.convert(reader.load(traced))
