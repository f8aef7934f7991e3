using System.CommandLine;
using Vizsla.Cli.Commands;

namespace Vizsla.Cli;

/// <summary>Every verb, in the order of the help: the main job first, then what serves it.</summary>
internal static class CommandList
{
    public static IEnumerable<Command> Create() =>
    [
        new PrepareCommand(),
        new DatasetCommand(),
        new LabelCommand(),
        new TrainCommand(),
        new TuneCommand(),
        new StopCommand(),
        new EvaluateCommand(),
        new CompareCommand(),
        new PredictCommand(),
        new ModelsCommand(),
        new QuickstartCommand(),
        new AugmentCommand(),
        new DoctorCommand(),
        new StudioCommand(),
        new ServeCommand(),
        new ExportCommand(),
        new MergeCommand(),
        new SoupCommand(),
        new ReportCommand(),
        new PushCommand(),
        new PullCommand(),
        new LoginCommand(),
        new WhoAmICommand(),
        new CacheCommand(),
        new HubCommand(),
    ];
}
