using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Primitives;
using Vizsla.Transforms;

namespace Vizsla.Loading;

/// <summary>Loads single samples into batches; each worker has one.</summary>
/// <param name="dataset">Where pictures and labels come from.</param>
/// <param name="transform">From the picture to floats.</param>
/// <param name="options">The loader's options.</param>
/// <param name="epoch">Epoch of the samples' generators.</param>
internal sealed class SampleLoader(ImageDataset dataset, Compose transform, BatchLoaderOptions options, long epoch)
{
    private readonly DecodeOptions? _decoding = options.FastDecode ? transform.FastDecode : null;
    private readonly Rng _rng = options.SharedRng ?? new Rng(0);

    /// <summary>Decodes and transforms the picture of a row and puts it at its place in a batch.</summary>
    /// <param name="batch">The batch in the making.</param>
    /// <param name="position">Place in the batch.</param>
    public void Load(PendingBatch batch, int position)
    {
        var row = batch.Row(position);
        if (options.RngMode == RngMode.PerSample)
        {
            _rng.Seed(Rng.SampleSeed(options.Seed, epoch, row));
        }

        var (image, steps) = dataset.LoadFor(row, transform, _decoding);
        using (image)
        {
            if (batch.Slot(position) is { } slot)
            {
                steps.Run(image, _rng, slot);
            }
            else
            {
                batch.Keep(position, steps.Run(image, _rng));
            }
        }

        batch.SetLabel(position, dataset[row].Label ?? ImageBatch.NoLabel);
    }

    /// <summary>Names the picture in the error of a sample.</summary>
    /// <param name="row">Row of the dataset.</param>
    /// <param name="error">What went wrong.</param>
    public DatasetException Explain(int row, Exception error) => error as DatasetException ?? new(
        error is ImageFormatException { File: not null } ? error.Message
        : error is ImageFormatException { Reason: var reason } ? new ImageFormatException(reason, dataset[row].Name).Message
        : $"The picture '{dataset[row].Name}' (row {row}) could not be loaded: {ErrorSentence.Of(error)}", error);
}
