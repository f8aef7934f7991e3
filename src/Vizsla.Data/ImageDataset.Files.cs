using Vizsla.Datasets;
using Vizsla.Datasets.Readers;
using Vizsla.Datasets.Splits;
using Vizsla.Datasets.Writers;
using Vizsla.Hub;

namespace Vizsla;

/// <content>From files and to files.</content>
public sealed partial class ImageDataset
{
    /// <summary>Reads a folder of pictures with the rules of Python's <c>load_dataset("imagefolder", data_dir=dir)</c>.</summary>
    /// <param name="dir">The folder.</param>
    /// <param name="options">What to do differently; null for nothing.</param>
    /// <returns>Its splits; a folder without split names is one split <c>train</c>.</returns>
    /// <exception cref="DatasetException">The folder does not exist or holds no picture.</exception>
    public static DatasetDict LoadImageFolder(string dir, DatasetLoadOptions? options = null) => DatasetFolder.LoadImages(dir, options ?? new());

    /// <summary>Reads Parquet files, one after the other, as one dataset.</summary>
    /// <param name="files">Paths of the files; their columns must be the same.</param>
    /// <exception cref="DatasetException">A file is no Parquet file, or the columns differ.</exception>
    /// <remarks>Pictures stay on disk until a row is asked for. Source: <c>load_dataset("parquet", data_files=..., split="train")</c>.</remarks>
    public static ImageDataset LoadParquet(params IReadOnlyList<string> files) =>
        ParquetReader.Read([new(SplitNames.Train, [.. files.Select(f => Path.GetFullPath(f))])])[SplitNames.Train];

    /// <summary>Reads the rows that an instruction names of a folder's splits.</summary>
    /// <param name="folder">Path of the folder.</param>
    /// <param name="split">Such as <c>train</c>, <c>train[:10%]</c>, <c>test+train[1:3]</c>.</param>
    /// <param name="options">What to do differently; null for nothing.</param>
    /// <exception cref="DatasetException">The folder holds no dataset, or not the split.</exception>
    /// <remarks>Source: <c>load_dataset(folder, split=...)</c>.</remarks>
    public static ImageDataset Load(string folder, string split, DatasetLoadOptions? options = null) => DatasetDict.Load(folder, options).Select(split);

    /// <summary>Writes the rows to a Parquet file that Python's <c>load_dataset</c> reads with its features.</summary>
    /// <param name="path">Path of the file; overwritten.</param>
    /// <param name="embedPictures">Whether pictures on disk go into the file, as <c>push_to_hub</c> does; false stores their paths, as Python's <c>to_parquet</c> does.</param>
    /// <param name="rowGroupRows">Rows of a row group; null aims at 100 MB.</param>
    /// <param name="cancellationToken">Stops between two rows; the file is unfinished then.</param>
    /// <exception cref="DatasetException">A picture cannot be read, or a column cannot be stored.</exception>
    public void ToParquet(string path, bool embedPictures = true, int? rowGroupRows = null, CancellationToken cancellationToken = default) =>
        ParquetShardWriter.Write(this, path, embedPictures, rowGroupRows, cancellationToken);

    /// <summary>Puts the rows on a Hub as one split of a configuration, beside the splits it has.</summary>
    /// <param name="repo"><c>owner/name</c>; created if missing.</param>
    /// <param name="split">Name of the split; null takes <see cref="Split"/>, else <c>train</c>.</param>
    /// <param name="options">How; null takes the defaults.</param>
    /// <param name="hub">The Hub; null takes the one that the environment names.</param>
    /// <param name="cancellationToken">Stops; what was sent is not sent again the next time.</param>
    /// <exception cref="DatasetException">The name or the columns do not fit those in the repository, or a picture cannot be read.</exception>
    /// <exception cref="HubException">The Hub refused, or the way to it broke.</exception>
    /// <remarks>Source: <c>Dataset.push_to_hub</c>.</remarks>
    public Task<CommitResult> PushToHubAsync(string repo, string? split = null, DatasetPushOptions? options = null, HubClient? hub = null, CancellationToken cancellationToken = default) =>
        HubClient.UseAsync(hub, token: null, client => DatasetPush.RunAsync(
            client, RepoId.Dataset(repo), new DatasetDict(KeyValuePair.Create(split ?? Split ?? SplitNames.Train, this)), options ?? new(), keepsOtherSplits: true, cancellationToken));
}
