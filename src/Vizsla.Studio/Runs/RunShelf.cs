using Vizsla.Runs;
using Vizsla.Serving;
using Vizsla.Studio.Hosting;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Studio.Runs;

/// <summary>Changes runs at the wish of a page; each change can be taken back.</summary>
internal sealed class RunShelf(RunLibrary library, StudioOptions options)
{
    private const int Conflict = 409;
    private const int Absent = 404;
    private const string DeletedFolder = ".deleted";

    private readonly Lock _lock = new();

    /// <summary>Writes what people say about a run.</summary>
    /// <param name="name">The run.</param>
    /// <param name="before">What the page showed.</param>
    /// <param name="notes">What it is to be.</param>
    /// <exception cref="RefusedException">The run is gone, another window wrote meanwhile, or the folder cannot be written.</exception>
    public void Write(string name, RunNotes before, RunNotes notes) => Change(() =>
    {
        var run = Require(name);
        if (!run.Notes.Equals(before))
        {
            throw new RefusedException(Conflict, $"Another window changed what is written about '{name}'. Open it again and repeat your change.");
        }

        notes.Write(run.Folder);
    });

    /// <summary>Renames the folder of a run, within its parent.</summary>
    /// <param name="name">The run.</param>
    /// <param name="to">The folder's new name, without a path.</param>
    /// <returns>The run's name from then on.</returns>
    /// <exception cref="RefusedException">The name cannot be a folder's or is taken, the run is gone or in training, or the folder cannot be renamed.</exception>
    public string Rename(string name, string to)
    {
        if (NameProblem(to) is { } problem)
        {
            throw new RefusedException(Conflict, problem);
        }

        var parent = name.LastIndexOf('/') is >= 0 and var slash ? name[..(slash + 1)] : "";
        Change(() =>
        {
            var folder = RequireQuiet(name).Folder;
            var target = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(folder))!, to);
            RefuseTaken(target, parent + to);
            Directory.Move(folder, target);
            library.Rename(name, parent + to);
        });
        return parent + to;
    }

    /// <summary>What keeps a text from being the name of a run's folder; null where nothing does.</summary>
    public static string? NameProblem(string name) =>
        name.Length is 0 or > 100 || name[0] is '.' or '_' || name != name.Trim() || !name.All(c => char.IsLetterOrDigit(c) || c is '.' or '-' or '_' or ' ' or '+' or '=')
            ? $"'{name}' cannot be the name of a run: expected up to 100 letters, digits, spaces and '.', '-', '_', '+', '=', not beginning with '.' or '_'."
            : null;

    /// <summary>Moves a run out of sight, into <c>.deleted</c> below the folder of runs.</summary>
    /// <param name="name">The run.</param>
    /// <returns>What <see cref="Restore"/> takes.</returns>
    /// <exception cref="RefusedException">The run is gone or in training, or the folder cannot be moved.</exception>
    public DeletedRun Delete(string name)
    {
        DeletedRun? deleted = null;
        Change(() =>
        {
            var folder = RequireQuiet(name).Folder;
            var number = Enumerable.Range(1, int.MaxValue).First(n => !Directory.Exists(Path.Combine(Deleted, Number(n))));
            deleted = new(Number(number), name);
            Transfer(folder, FolderOf(deleted));
        });
        return deleted!;
    }

    /// <summary>The deleted runs, the one deleted last first.</summary>
    public IReadOnlyList<DeletedRun> ListDeleted() => library.HasFolder && Directory.Exists(Deleted)
        ? [.. new DirectoryInfo(Deleted).EnumerateDirectories().OrderByDescending(d => d.LastWriteTimeUtc)
            .SelectMany(d => RunLibrary.FoldersBelow(d.FullName).Select(run => new DeletedRun(d.Name, Path.GetRelativePath(d.FullName, run).Replace(Path.DirectorySeparatorChar, '/'))))]
        : [];

    /// <summary>Brings a deleted run back.</summary>
    /// <param name="deleted">Which one.</param>
    /// <exception cref="RefusedException">It is gone, another run has its name, or the folder cannot be moved.</exception>
    public void Restore(DeletedRun deleted) => Change(() =>
    {
        // What a page asks for is looked up: no part of it becomes a path unseen.
        if (!ListDeleted().Contains(deleted))
        {
            throw new RefusedException(Absent, $"The run '{deleted.Name}' is no longer among the deleted ones.");
        }

        var target = Path.Combine(options.Runs!, deleted.Name);
        RefuseTaken(target, deleted.Name);
        Transfer(FolderOf(deleted), target);
        Directory.Delete(Path.Combine(Deleted, deleted.Id), recursive: true);
    });

    /// <summary>Asks a training to stop after the step that runs, with a checkpoint.</summary>
    /// <param name="name">The run.</param>
    /// <exception cref="RefusedException">The run is gone, or nothing trains in it.</exception>
    public void Stop(string name) => Change(() =>
    {
        var run = Require(name);
        if (!IsTraining(run))
        {
            throw new RefusedException(Conflict, $"No training runs in '{name}' on this computer.");
        }

        StopRequest.Write(run.Folder);
    });

    /// <summary>Whether a training was asked to stop and has not done so yet.</summary>
    public static bool IsStopping(RunSnapshot run) => run.State == RunState.Running && StopRequest.IsIn(run.Folder);

    private string Deleted => Path.Combine(options.Runs!, DeletedFolder);

    private static bool IsTraining(RunSnapshot run) => File.Exists(Path.Combine(run.Folder, RunLock.FileName)) && RunLock.IsTaken(run.Folder);

    private RunSnapshot Require(string name) => library.Find(name) is { } run && FolderGuard.Resolve(options.Runs!, name) is not null | library.IsRoot(name)
        ? run
        : throw new RefusedException(Absent, $"The run '{name}' is gone: its folder was moved or deleted.");

    private RunSnapshot RequireQuiet(string name)
    {
        var run = Require(name);
        return library.IsRoot(name) ? throw new RefusedException(Conflict, "The studio was started with this run alone; start it with the folder above to rename or delete it.")
            : IsTraining(run) ? throw new RefusedException(Conflict, $"A training runs in '{name}'. Stop it first.")
            : run;
    }

    private static void RefuseTaken(string folder, string name)
    {
        if (Path.Exists(folder))
        {
            throw new RefusedException(Conflict, $"There is already a folder '{name}'. Choose another name.");
        }
    }

    private static void Transfer(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        Directory.Move(from, to);
    }

    private string FolderOf(DeletedRun run) => Path.Combine(Deleted, run.Id, run.Name);

    private static string Number(int n) => n.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private void Change(Action change)
    {
        lock (_lock)
        {
            try
            {
                change();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new RefusedException(Conflict, "The folder of runs cannot be written; nothing was changed.");
            }
            finally
            {
                library.Forget();
            }
        }
    }
}

/// <summary>A run that was moved out of sight.</summary>
/// <param name="Id">Name of its place among the deleted ones.</param>
/// <param name="Name">The run's name, as it was.</param>
public sealed record DeletedRun(string Id, string Name);
