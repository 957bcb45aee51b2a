"""`ag.config`'s devices: there is one, the processor. TensorFlow's questions about others are answered with that."""

from __future__ import annotations

from typing import Any, NamedTuple

from autograph.api.declare import public
from autograph.errors.refusals import refusal
from runtime.typesys.errors import InvalidArgumentError

__all__: list[str] = []


class PhysicalDevice(NamedTuple):
    """A device, as TensorFlow names it."""

    name: str
    device_type: str


class LogicalDevice(NamedTuple):
    """A device that operations can be placed on."""

    name: str
    device_type: str


_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")


@public("config.LogicalDeviceConfiguration", "config.experimental.VirtualDeviceConfiguration", raises=False)
class LogicalDeviceConfiguration(NamedTuple):
    """How a device is split, for TensorFlow's programs.

    >>> ag.config.LogicalDeviceConfiguration()
    LogicalDeviceConfiguration(memory_limit=None, experimental_priority=None, experimental_device_ordinal=None)
    """

    memory_limit: int | None = None
    experimental_priority: int | None = None
    experimental_device_ordinal: int | None = None


_split: list[tuple[Any, ...] | None] = [None]
_visible: list[bool] = [True]


@public("config.list_physical_devices", "config.experimental.list_physical_devices", raises=False)
def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that operations run on: the processor.

    >>> ag.config.list_physical_devices("GPU")
    []

    Source of the semantics: TensorFlow's `tf.config.list_physical_devices`.
    """
    return [_CPU] if device_type in (None, "CPU") else []


@public("config.list_logical_devices", "config.experimental.list_logical_devices", raises=False)
def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The processor, once: a configuration that splits it is kept, but does not make it two.

    >>> ag.config.list_logical_devices()
    [LogicalDevice(name='/device:CPU:0', device_type='CPU')]

    Source of the semantics: TensorFlow's `tf.config.list_logical_devices`.
    """
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


@public("config.get_visible_devices", "config.experimental.get_visible_devices", raises=False)
def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that are in use: the processor.

    >>> ag.config.get_visible_devices("GPU")
    []
    """
    return list_physical_devices(device_type)


@public("config.set_visible_devices", "config.experimental.set_visible_devices")
def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Which devices to use. Hiding those that are not there changes nothing.

    Raises:
      ValueError: the processor would be hidden, or a device is not there.

    >>> ag.config.set_visible_devices([], "GPU")
    """
    chosen = [devices] if isinstance(devices, PhysicalDevice) else list(devices or ())
    for device in chosen:
        _known(device)
    if _CPU not in chosen and device_type in (None, "CPU"):
        raise ValueError("the processor is the one device that operations run on, and cannot be hidden")


@public(
    "config.set_logical_device_configuration", "config.experimental.set_virtual_device_configuration"
)
def set_logical_device_configuration(device: Any, logical_devices: Any) -> None:
    """How a device is split. Kept, and given back when asked for; the processor stays one device.

    Raises:
      InvalidArgumentError: there is no such device.

    >>> cpu, = ag.config.list_physical_devices("CPU")
    >>> ag.config.set_logical_device_configuration(cpu, [ag.config.LogicalDeviceConfiguration()])
    >>> len(ag.config.get_logical_device_configuration(cpu))
    1
    """
    _known(device)
    _split[0] = tuple(logical_devices)


@public("config.get_logical_device_configuration", "config.experimental.get_virtual_device_configuration")
def get_logical_device_configuration(device: Any) -> list[Any] | None:
    """What `set_logical_device_configuration` was told, or None.

    Raises:
      InvalidArgumentError: there is no such device.

    >>> ag.config.get_logical_device_configuration("GPU:0")
    Traceback (most recent call last):
    autograph.errors.InvalidArgumentError: there is no device 'GPU:0': operations run on the processor
    """
    _known(device)
    return None if _split[0] is None else list(_split[0])


@public("config.experimental.set_memory_growth")
def set_memory_growth(device: Any, enable: bool) -> None:
    """How memory of a GPU is taken: of the processor's it always grows.

    Raises:
      InvalidArgumentError: there is no such device.

    >>> for gpu in ag.config.list_physical_devices("GPU"):
    ...     ag.config.experimental.set_memory_growth(gpu, True)
    """
    _known(device)
    if not enable:
        raise refusal("one-device", what="memory cannot be taken at once")


@public("config.get_soft_device_placement", raises=False)
def get_soft_device_placement() -> bool:
    """Whether `ag.device` may name a device that is not there: always.

    >>> ag.config.get_soft_device_placement()
    True
    """
    return True


@public("config.set_soft_device_placement")
def set_soft_device_placement(enabled: bool) -> None:
    """Accepted where it is true, as it always is.

    Raises:
      UnimplementedError: it is false.

    >>> ag.config.set_soft_device_placement(True)
    """
    if not enabled:
        raise refusal("one-device", what="devices are always placed softly")


def _known(device: Any) -> None:
    shown = str(getattr(device, "name", device))
    if not shown.upper().endswith("CPU:0"):
        raise InvalidArgumentError(f"there is no device {shown!r}: operations run on the processor")
