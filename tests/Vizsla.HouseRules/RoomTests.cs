namespace Vizsla.HouseRules;

/// <summary>Arrows between rooms go one way (docs/architecture.md, section 1).</summary>
/// <remarks>
/// A room is a namespace of a table below; a namespace that no table lists belongs to the room that its name begins with.
/// To give a room sub-rooms with an order, list them: each with the rooms that it may mention, lower ones first.
/// </remarks>
public sealed class RoomTests
{
    private const string FrontDoor = "Vizsla";
    private const string Models = "Vizsla.Models";
    private const string Adapters = "Vizsla.Adapters";
    private const string Training = "Vizsla.Training";
    private const string Runs = "Vizsla.Runs";

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
        ["Vizsla.Datasets.Readers"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Storage", "Vizsla.Datasets.Cards", FrontDoor],
        ["Vizsla.Datasets.Writers"] = ["Vizsla.Primitives", "Vizsla.Datasets", "Vizsla.Datasets.Storage", "Vizsla.Datasets.Cards", FrontDoor],
        ["Vizsla.Datasets.Statistics"] = ["Vizsla.Imaging", "Vizsla.Datasets", FrontDoor],
        ["Vizsla.Datasets.Checks"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Readers", FrontDoor],
        ["Vizsla.Datasets.Splits"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Datasets", "Vizsla.Datasets.Readers", "Vizsla.Datasets.Checks"],
        ["Vizsla.Inference"] = ["Vizsla.Imaging"],
        ["Vizsla.Loading"] = ["Vizsla.Primitives", "Vizsla.Imaging", "Vizsla.Transforms", "Vizsla.Datasets", FrontDoor],
    };

    private static readonly string[] AllData = [.. DataRooms.Keys, FrontDoor];
    private const string Distributed = "Vizsla.Distributed";
    private static readonly string[] Networks = [.. AllData, "Vizsla.Native", Models];

    private static readonly Dictionary<string, string[]> MainRooms = new()
    {
        ["Vizsla.Native"] = [.. AllData],
        [Distributed] = [.. AllData, "Vizsla.Native"],
        [Models] = [.. AllData, "Vizsla.Native"],
        [Adapters] = [.. Networks],
        ["Vizsla.Inference"] = [.. Networks],
        ["Vizsla.Export"] = [.. Networks],
        ["Vizsla.Analysis"] = [.. Networks],

        [$"{Training}.Arguments"] = [.. Networks],
        [$"{Training}.Metrics"] = [.. AllData],
        [$"{Training}.Losses"] = [.. AllData, "Vizsla.Native", .. Of(Training, "Arguments")],
        [$"{Training}.Schedules"] = [.. AllData, .. Of(Training, "Arguments")],
        [$"{Training}.Optimizers"] = [.. Networks, .. Of(Training, "Arguments")],
        [$"{Training}.Callbacks"] = [.. Networks, .. Of(Training, "Arguments", "Metrics")],
        [$"{Training}.Data"] = [.. Networks, Distributed, .. Of(Training, "Arguments", "Losses", "Optimizers")],
        [$"{Training}.PythonState"] = [.. Networks, .. Of(Training, "Arguments", "Data", "Optimizers", "Schedules")],
        [$"{Training}.Checkpoints"] = [.. Networks, Adapters, Distributed, .. Of(Training, "Arguments", "Callbacks", "Data", "Losses", "Optimizers", "PythonState", "Schedules")],
        [Training] = [.. Networks, Adapters, Distributed, "Vizsla.Analysis", .. Of(Training, "Arguments", "Callbacks", "Checkpoints", "Data", "Losses", "Metrics", "Optimizers", "Schedules")],
        [$"{Training}.RateSearch"] = [.. Networks, Training, .. Of(Training, "Arguments", "Callbacks", "Data", "Losses", "Optimizers", "Schedules")],

        // What writes about a run reads the training; the training knows nothing of it.
        [$"{Runs}.Charts"] = [.. AllData, .. Of(Training, "Callbacks", "Metrics")],
        [$"{Runs}.Cards"] = [.. Networks, Adapters, .. Of(Training, "Arguments", "Callbacks", "Metrics")],
        [$"{Runs}.TensorBoard"] = [.. AllData, "Vizsla.Export", .. Of(Training, "Arguments", "Callbacks", "Metrics"), .. Of(Runs, "Charts")],
        [Runs] = [.. Networks, Adapters, .. Of(Training, "Arguments", "Callbacks", "Checkpoints", "Metrics", "RateSearch"), .. Of(Runs, "Cards", "Charts", "TensorBoard")],
    };

    private static readonly Dictionary<string, Dictionary<string, string[]>> Projects = new()
    {
        ["Vizsla.Imaging"] = DataRooms,
        ["Vizsla.Data"] = DataRooms,
        ["Vizsla"] = MainRooms,
        ["Vizsla.Hub"] = new()
        {
            ["Vizsla.Hub.Cards"] = [],
            ["Vizsla.Hub.Cache"] = ["Vizsla.Hub"],
            ["Vizsla.Hub.Transfers"] = ["Vizsla.Hub", "Vizsla.Hub.Cache"],
        },
        ["Vizsla.HubServer"] = InOrder("Vizsla.HubServer", "Protocol", "Storage", "Accounts", "Repositories", "LargeFiles", "Commits", "Api", "Pages"),
        ["Vizsla.Serving"] = InOrder("Vizsla.Serving", "Pictures", "Queues", "Api"),
        ["Vizsla.Studio"] = InOrder("Vizsla.Studio", "Hosting", "Layout", "Pictures", "Labeling", "Runs", "Trainings", "Datasets", "Predictions", "Transforms", "Evaluation", "Reports"),
    };

    // Inside Models; its root holds what a network is and the tables of them, and is a front door to all of these.
    private static readonly Dictionary<string, string[]> ModelRooms = new()
    {
        [$"{Models}.Graphs"] = [],
        [$"{Models}.Layers"] = [.. Of(Models, "Graphs")],
        [$"{Models}.Weights"] = [],
        [$"{Models}.Families"] = [.. Of(Models, "Layers")],
        [$"{Models}.Timm"] = [.. Of(Models, "Layers")],
    };

    public static TheoryData<string> Assemblies => [.. Projects.Keys];

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Rooms_mention_only_the_rooms_below_them(string assembly)
    {
        var rules = Projects[assembly];
        using var module = Dependencies.Open(assembly);

        var wrong = Dependencies.Of(module)
            .Select(d => (Type: d.From, From: RoomOf(rules, Dependencies.NamespaceOf(d.From)), To: RoomOf(rules, Dependencies.NamespaceOf(d.To))))
            .Where(d => rules.TryGetValue(d.From, out var allowed) && IsOwn(assembly, d.To) && d.To != d.From && !allowed.Contains(d.To))
            .Select(d => $"{d.Type.FullName} -> {d.To}")
            .Distinct();

        Assert.Empty(wrong);
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Every_type_lives_in_a_known_room(string assembly)
    {
        var rules = Projects[assembly];
        using var module = Dependencies.Open(assembly);

        var homeless = module.Types
            .Where(t => t.Namespace.StartsWith(FrontDoor, StringComparison.Ordinal))
            .Where(t => RoomOf(rules, t.Namespace) is var room && room != FrontDoor && room != assembly && !rules.ContainsKey(room))
            .Select(t => t.FullName);

        Assert.Empty(homeless);
    }

    [Fact]
    public void The_rooms_of_the_models_mention_only_those_below_them()
    {
        using var module = Dependencies.Open("Vizsla");

        var wrong = Dependencies.Of(module)
            .Select(d => (Type: d.From, From: RoomOf(ModelRooms, Dependencies.NamespaceOf(d.From)), To: RoomOf(ModelRooms, Dependencies.NamespaceOf(d.To))))
            .Where(d => ModelRooms.TryGetValue(d.From, out var allowed) && ModelRooms.ContainsKey(d.To) && d.To != d.From && !allowed.Contains(d.To))
            .Select(d => $"{d.Type.FullName} -> {d.To}")
            .Distinct();

        Assert.Empty(wrong);
        Assert.DoesNotContain(ModelRooms.Keys, room => !module.Types.Any(t => RoomOf(ModelRooms, t.Namespace) == room));
    }

    [Fact]
    public void The_order_of_rooms_has_no_circle_and_no_room_that_is_not_there()
    {
        using var module = Dependencies.Open("Vizsla");
        var rooms = module.Types.Select(t => RoomOf(MainRooms, t.Namespace)).ToHashSet();

        var below = new HashSet<string>(AllData);
        var tooEarly = new List<string>();
        foreach (var (room, mentioned) in MainRooms)
        {
            tooEarly.AddRange(mentioned.Where(m => !below.Contains(m)).Select(m => $"{room} -> {m}"));
            below.Add(room);
        }

        Assert.Empty(tooEarly);
        Assert.DoesNotContain(MainRooms.Keys, room => !rooms.Contains(room));
    }

    private static IEnumerable<string> Of(string room, params string[] parts) => parts.Select(part => $"{room}.{part}");

    // The innermost room that has a rule: Vizsla.Datasets.Splits is a room of its own.
    private static string RoomOf(Dictionary<string, string[]> rules, string name) =>
        rules.Keys.Where(room => name == room || name.StartsWith(room + '.', StringComparison.Ordinal)).MaxBy(room => room.Length) ?? string.Join('.', name.Split('.').Take(2));

    // The types of other projects are held by BorderTests; Vizsla, Vizsla.Data and Vizsla.Imaging share their root namespace.
    private static bool IsOwn(string assembly, string room) => assembly is "Vizsla" or "Vizsla.Data" or "Vizsla.Imaging"
        ? room.StartsWith(FrontDoor, StringComparison.Ordinal) && room != "Vizsla.Hub"
        : room == assembly || room.StartsWith(assembly + '.', StringComparison.Ordinal);

    // Each room may mention those before it and the front door of its project.
    private static Dictionary<string, string[]> InOrder(string door, params string[] rooms) =>
        rooms.Select((room, i) => (Name: $"{door}.{room}", Below: Of(door, rooms[..i]).Append(door).ToArray())).ToDictionary(r => r.Name, r => r.Below);
}
