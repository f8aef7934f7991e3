namespace Vizsla.HouseRules;

/// <summary>Arrows between rooms go one way (docs/architecture.md, section 1).</summary>
public sealed class RoomTests
{
    // What each room may mention besides itself. The front door (namespace Vizsla) may mention every room of its project.
    private static readonly Dictionary<string, string[]> DataRooms = new()
    {
        ["Vizsla.Primitives"] = [],
        ["Vizsla.Imaging"] = ["Vizsla.Primitives"],
        ["Vizsla.Transforms"] = ["Vizsla.Primitives", "Vizsla.Imaging"],
        ["Vizsla.Datasets"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla"],
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
            .Select(d => (Type: d.From, From: RoomOf(Dependencies.NamespaceOf(d.From)), To: RoomOf(Dependencies.NamespaceOf(d.To))))
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
            .Where(t => RoomOf(t.Namespace) != "Vizsla" && !rules.ContainsKey(RoomOf(t.Namespace)))
            .Select(t => t.FullName);

        Assert.Empty(homeless);
    }

    // Vizsla.Training.Checkpoints lives in the room Vizsla.Training.
    private static string RoomOf(string name) => string.Join('.', name.Split('.').Take(2));
}
