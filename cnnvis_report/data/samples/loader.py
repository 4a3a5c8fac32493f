"""The samples of a DataLoader: those that it gives, one by one."""

from typing import Any

from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, default_collate

from cnnvis_report.data.samples.sample import sample_of


def takes_all(loader: DataLoader[Any]) -> bool:
    """Whether a loader gives every sample of its dataset once, so that the dataset can be read in its own order."""
    if loader.collate_fn is not default_collate:
        return False
    if not hasattr(loader.dataset, "__len__") or type(loader.batch_sampler) is not BatchSampler or loader.drop_last:
        return False
    sampler = loader.sampler
    drawn = isinstance(sampler, RandomSampler) and (sampler.replacement or len(sampler) != len(loader.dataset))
    return isinstance(sampler, SequentialSampler | RandomSampler) and not drawn


def unbatched(loader: DataLoader[Any], limit: int | None) -> list[tuple[Any, Any]]:
    """The samples of a loader's batches, so many at most."""
    samples: list[Any] = []
    for batch in loader:
        whole = sample_of(batch)
        labels = whole.label if whole.label is not None else [None] * len(whole.image)
        samples += [(image, label) for image, label in zip(whole.image, labels, strict=True)]
        if limit is not None and len(samples) >= limit:
            return samples[:limit]
    return samples
