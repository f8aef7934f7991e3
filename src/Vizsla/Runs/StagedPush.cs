using Vizsla.Datasets.Splits;
using Vizsla.Hub;
using Vizsla.Training.Checkpoints;

namespace Vizsla.Runs;

/// <summary>The files of a push as they stood when it was asked for, whatever the training writes or removes meanwhile.</summary>
/// <remarks>Weights are second names of files that are never written to again; the rest, which is small and may grow, is copied.</remarks>
internal sealed class StagedPush
{
    private const string RunPart = "run";
    private const string CheckpointPart = "checkpoint";
    private static readonly string[] ModelFiles = ["config.json", CheckpointNames.Weights, "adapter_config.json", "adapter_model.safetensors", "preprocessor_config.json", "processor_config.json", RunFiles.Arguments];

    private readonly string _folder;

    private StagedPush(string folder) => _folder = folder;

    /// <summary>Files of the run and its model.</summary>
    public string Run => Path.Combine(_folder, RunPart);

    /// <summary>Files of the checkpoint; null where it is not pushed.</summary>
    public string? Checkpoint => Path.Combine(_folder, CheckpointPart) is var path && Directory.Exists(path) ? path : null;

    /// <summary>Takes the files.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="step">Step of the run.</param>
    /// <param name="checkpoint">Checkpoint whose model is pushed; null takes that of the run folder.</param>
    /// <param name="isWhole">Whether all of the checkpoint is pushed too.</param>
    public static StagedPush Take(string run, int step, string? checkpoint, bool isWhole)
    {
        var staged = new StagedPush(Path.Combine(run, CheckpointNames.Temporary(step, $"push-{Guid.NewGuid():N}")));
        try
        {
            var files = Directory.EnumerateFiles(run, "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(run, f))
                .Where(f => GlobPattern.Selects(f.Replace(Path.DirectorySeparatorChar, '/'), [], RunFiles.NeverPushed));
            var model = checkpoint is null ? [] : ModelFiles.Where(f => File.Exists(Path.Combine(checkpoint, f))).ToList();
            foreach (var file in files.Except(model))
            {
                Take(Path.Combine(run, file), Path.Combine(staged.Run, file));
            }

            foreach (var file in model)
            {
                Take(Path.Combine(checkpoint!, file), Path.Combine(staged.Run, file));
            }

            if (checkpoint is not null && isWhole)
            {
                foreach (var file in Directory.EnumerateFiles(checkpoint))
                {
                    Take(file, Path.Combine(staged._folder, CheckpointPart, Path.GetFileName(file)));
                }
            }

            return staged;
        }
        catch
        {
            staged.Discard();
            throw;
        }
    }

    /// <summary>Removes the files; what this disk keeps holding is swept up when the next run begins.</summary>
    public void Discard()
    {
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A run does not fail for it.
        }
    }

    private static void Take(string source, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        if (Path.GetExtension(source) is ".safetensors" or ".pt")
        {
            try
            {
                HardLink.Create(source, target);
                return;
            }
            catch (IOException)
            {
                // A file system without links.
            }
        }

        File.Copy(source, target);
    }
}
