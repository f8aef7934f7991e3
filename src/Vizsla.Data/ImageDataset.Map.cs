using Vizsla.Datasets;
using Vizsla.Imaging;
using Vizsla.Loading;
using Vizsla.Transforms;

namespace Vizsla;

public sealed partial class ImageDataset
{
    /// <summary>The pictures that <see cref="Map(Compose, MapOptions, CancellationToken)"/> prepared, or null.</summary>
    internal PreparedPictures? Prepared { get; private init; }

    /// <summary>
    /// Runs the steps of a pipeline that draw nothing once, up to the first random step or the conversion to floats, keeps the pictures on disk as bytes, and leaves the rest of the
    /// pipeline to the loaders: the batches are those of <see cref="SetTransform"/>, draws differ from epoch to epoch, and decoding and resizing are paid once.
    /// </summary>
    /// <param name="transform">The pipeline.</param>
    /// <param name="options">Where and how; null takes the defaults.</param>
    /// <param name="cancellationToken">Stops the preparation; nothing is left behind.</param>
    /// <returns>The same rows with that transform and the prepared pictures.</returns>
    /// <exception cref="ArgumentException">The options ask for <see cref="MapOptions.FastDecode"/>, and the pipeline does not begin with a Resize.</exception>
    /// <exception cref="ImageFormatException">A picture cannot be read whole; names the file.</exception>
    /// <exception cref="DatasetException">A picture cannot be prepared, or the disk is too full.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <remarks>
    /// The file is found again by the pictures' names and the steps, and used while lengths, modification times and steps are the same; a file that is stale, cut or damaged is built anew.
    /// Several processes may build at once. Source: <c>datasets.Dataset.map</c> (there the floats of the whole pipeline are kept, random steps frozen; docs/performance.md).
    /// </remarks>
    public ImageDataset Map(Compose transform, MapOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transform);
        options ??= new MapOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1);
        if (options.FastDecode && transform.FastDecodeProblem is { } problem)
        {
            throw new ArgumentException(problem, nameof(transform));
        }

        return new(_table, _rows, Split) { Transform = transform, HubName = HubName, Prepared = PreparedPictures.Open(this, _rows, transform, options, cancellationToken) };
    }

    /// <summary>A picture as it enters the transform, prepared where that was done for this transform, and the steps that are left.</summary>
    /// <param name="row">From 0 to Count - 1.</param>
    /// <param name="transform">The whole pipeline.</param>
    /// <param name="decoding">How a picture that was not prepared is decoded; null decodes every pixel.</param>
    /// <returns>The picture, owned by the caller, and the steps.</returns>
    internal (Image Image, Compose Steps) LoadFor(int row, Compose transform, DecodeOptions? decoding) =>
        Prepared is { } prepared && prepared.Pipeline.Equals(transform)
            ? (prepared.Read(StoredRow(row)), prepared.Rest)
            : (LoadImage(row, decoding), transform);
}
