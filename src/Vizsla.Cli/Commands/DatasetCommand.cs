using System.CommandLine;

namespace Vizsla.Cli.Commands;

/// <summary><c>vizsla dataset</c>: look at a dataset, check it, send it to a Hub, fetch it from there.</summary>
internal sealed class DatasetCommand : Command
{
    public DatasetCommand()
        : base("dataset", "Look at a dataset, count what is in it, check it, push it to a Hub, pull it from there.")
    {
        Subcommands.Add(new DatasetInfoCommand());
        Subcommands.Add(new DatasetShowCommand());
        Subcommands.Add(new DatasetStatsCommand());
        Subcommands.Add(new DatasetCheckCommand());
        Subcommands.Add(new DatasetLabelsCommand());
        Subcommands.Add(new DatasetRelabelCommand());
        Subcommands.Add(new DatasetMapCommand());
        Subcommands.Add(new DatasetSearchCommand());
        Subcommands.Add(new DatasetPushCommand());
        Subcommands.Add(new DatasetPullCommand());
    }
}
