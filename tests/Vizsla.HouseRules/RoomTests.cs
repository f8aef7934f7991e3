namespace Vizsla.HouseRules;

/// <summary>Arrows between rooms go one way (docs/architecture.md, section 1).</summary>
public sealed class RoomTests
{
    // What each room may mention besides itself. The front door (namespace Vizsla) may mention every room of its project.
    private static readonly Dictionary<string, string[]> DataRooms = new()
    {
        ["Vizsla.Primitives"] = [],
        ["Vizsla.Imaging"] = ["Vizsla.Primitives", "Vizsla.Imaging.Jpeg", "Vizsla.Imaging.Png", "Vizsla.Imaging.Gif", "Vizsla.Imaging.Tiff"],
        ["Vizsla.Imaging.Jpeg"] = ["Vizsla.Imaging"],
        ["Vizsla.Imaging.Png"] = ["Vizsla.Imaging"],
        ["Vizsla.Imaging.Gif"] = ["Vizsla.Imaging"],
        ["Vizsla.Imaging.Tiff"] = ["Vizsla.Imaging", "Vizsla.Imaging.Jpeg"],
        ["Vizsla.Transforms"] = ["Vizsla.Primitives", "Vizsla.Imaging"],
        ["Vizsla.Datasets"] = ["Vizsla.Primitives", "Vizsla.Imaging"],
        ["Vizsla.Datasets.Cards"] = ["Vizsla.Primitives", "Vizsla.Datasets"],
        ["Vizsla.Datasets.Drawing"] = ["Vizsla.Primitives", "Vizsla.Imaging"],
        ["Vizsla.Datasets.Storage"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets"],
        ["Vizsla.Datasets.Readers"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Storage", "Vizsla.Datasets.Cards", "Vizsla"],
        ["Vizsla.Datasets.Writers"] = ["Vizsla.Primitives", "Vizsla.Datasets", "Vizsla.Datasets.Storage", "Vizsla.Datasets.Cards", "Vizsla"],
        ["Vizsla.Datasets.Statistics"] = ["Vizsla.Imaging", "Vizsla.Datasets", "Vizsla"],
        ["Vizsla.Datasets.Checks"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Readers", "Vizsla"],
        ["Vizsla.Datasets.Splits"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Readers", "Vizsla.Datasets.Checks"],
        ["Vizsla.Loading"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Transforms", "Vizsla.Datasets", "Vizsla"],
    };

    private static readonly string[] AllData = [.. DataRooms.Keys, "Vizsla"];

    private static readonly Dictionary<string, string[]> MainRooms = new()
    {
        ["Vizsla.Native"] = [.. AllData],
        ["Vizsla.Models"] = [.. AllData, "Vizsla.Native"],
        ["Vizsla.Distributed"] = [.. AllData, "Vizsla.Native"],
        ["Vizsla.Inference"] = [.. AllData, "Vizsla.Native", "Vizsla.Models"],
        ["Vizsla.Export"] = [.. AllData, "Vizsla.Native", "Vizsla.Models"],
        ["Vizsla.Training"] = [.. AllData, "Vizsla.Native", "Vizsla.Models", "Vizsla.Distributed", "Vizsla.Inference", "Vizsla.Export"],
    };

    [Theory]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla")]
    public void Rooms_mention_only_the_rooms_below_them(string assembly)
    {
        var rules = assembly == "Vizsla" ? MainRooms : DataRooms;
        using var module = Dependencies.Open(assembly);

        var wrong = Dependencies.Of(module)
            .Select(d => (Type: d.From, From: RoomOf(Dependencies.NamespaceOf(d.From), rules), To: RoomOf(Dependencies.NamespaceOf(d.To), rules)))
            .Where(d => rules.TryGetValue(d.From, out var allowed) && d.To.StartsWith(nameof(Vizsla), StringComparison.Ordinal) && d.To != d.From
                && d.To != "Vizsla.Hub" && !allowed.Contains(d.To))
            .Select(d => $"{d.Type.FullName} -> {d.To}")
            .Distinct();

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("Vizsla.Data")]
    [InlineData("Vizsla")]
    public void Every_type_lives_in_a_known_room(string assembly)
    {
        var rules = assembly == "Vizsla" ? MainRooms : DataRooms;
        using var module = Dependencies.Open(assembly);

        var homeless = module.Types
            .Where(t => t.Namespace.StartsWith(nameof(Vizsla), StringComparison.Ordinal))
            .Where(t => RoomOf(t.Namespace, rules) is var room && room != "Vizsla" && !rules.ContainsKey(room))
            .Select(t => t.FullName);

        Assert.Empty(homeless);
    }

    // The innermost room that has a rule: Vizsla.Datasets.Splits is a room of its own, Vizsla.Training.Checkpoints lives in the room Vizsla.Training.
    private static string RoomOf(string name, Dictionary<string, string[]> rules) =>
        rules.Keys.Where(room => name == room || name.StartsWith(room + '.', StringComparison.Ordinal)).MaxBy(room => room.Length) ?? string.Join('.', name.Split('.').Take(2));
}
