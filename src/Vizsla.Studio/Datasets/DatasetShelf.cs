using Vizsla.Datasets;
using Vizsla.Datasets.Checks;
using Vizsla.Datasets.Splits;
using Vizsla.Serving;

namespace Vizsla.Studio.Datasets;

/// <summary>Changes the given dataset at the wish of a page; each change can be taken back.</summary>
internal sealed class DatasetShelf(DatasetLibrary library, StudioOptions options)
{
    private const int Conflict = 409;

    private readonly Lock _lock = new();

    /// <summary>How many pictures lie in quarantine.</summary>
    public int QuarantinedCount => options.Dataset is { } dataset && Path.Combine(dataset, Quarantine.FolderName) is var folder && Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count(file => Path.GetExtension(file) != ".jsonl")
        : 0;

    /// <summary>Gives a picture another class.</summary>
    /// <param name="photo">The picture as the page shows it.</param>
    /// <param name="label">Its class from then on.</param>
    /// <returns>The picture as it is called then, with its old class.</returns>
    /// <exception cref="RefusedException">The picture is gone or was changed meanwhile, or its label cannot be changed.</exception>
    public RelabeledFile Relabel(DatasetPhoto photo, string label) => Relabel(new LabelChange(FileOf(photo), label, photo.Label));

    /// <summary>Takes a change of a label back.</summary>
    /// <param name="file">The change.</param>
    /// <returns>The picture as it is called then.</returns>
    /// <exception cref="RefusedException">The picture is gone or was changed meanwhile.</exception>
    public RelabeledFile TakeBack(RelabeledFile file) => Relabel(new LabelChange(file.Moved, file.OldLabel, file.Label));

    /// <summary>Moves a picture out of the dataset.</summary>
    /// <param name="photo">The picture as the page shows it.</param>
    /// <exception cref="RefusedException">The picture is gone, or cannot be moved.</exception>
    public void MoveOut(DatasetPhoto photo) => Change(() => new Quarantine(options.Dataset!).Move([(Path.Combine(options.Dataset!, FileOf(photo)), "chosen in the studio")]));

    /// <summary>Brings every picture back from quarantine.</summary>
    /// <returns>How many.</returns>
    /// <exception cref="RefusedException">A file could not be moved.</exception>
    public int BringBack() => Change(() => new Quarantine(options.Dataset!).Undo().Restored.Count);

    /// <summary>A picture's path below the dataset's folder, separated by '/'.</summary>
    public string FileOf(DatasetPhoto photo) => Path.IsPathRooted(photo.Path) || File.Exists(photo.Path)
        ? Path.GetRelativePath(options.Dataset!, photo.Path).Replace(Path.DirectorySeparatorChar, '/')
        : photo.Path;

    private RelabeledFile Relabel(LabelChange change) => Change(() => new Relabeling(options.Dataset!).Apply([change]) is [var moved]
        ? moved
        : throw new RefusedException(Conflict, $"The picture has the class '{change.Label}' already."));

    private T Change<T>(Func<T> change)
    {
        lock (_lock)
        {
            try
            {
                return change();
            }
            catch (DatasetException e)
            {
                // Pages show no path of this computer.
                throw new RefusedException(Conflict, e.Message.Replace(Path.GetFullPath(options.Dataset!) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal)
                    .Replace(Path.GetFullPath(options.Dataset!), "the dataset", StringComparison.Ordinal));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RefusedException(Conflict, "The dataset's folder cannot be written; nothing was changed.");
            }
            finally
            {
                library.Forget();
            }
        }
    }
}
