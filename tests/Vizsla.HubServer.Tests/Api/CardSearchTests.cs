using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Vizsla.Hub;

namespace Vizsla.HubServer.Tests.Api;

/// <summary>Cards and configurations as fields and filters, discussions and maintenance, as huggingface_hub 0.36 and 2.4 ask for them.</summary>
public sealed class CardSearchTests : IAsyncLifetime
{
    private static readonly RepoId Pets = RepoId.Model("anna/pets");

    private ServerFixture _server = null!;
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerFixture.StartAsync();
        _http = _server.Http("hf_anna");
        var anna = _server.Client("hf_anna");
        await anna.CreateRepoAsync(Pets);
        await anna.CommitAsync(Pets, [
            new CommitAdd("README.md", "---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: image-classification\ntags:\n- vision\ndatasets:\n- anna/photos\nscore: .nan\ndate: 2026-01-02\n---\n# Pets\n"u8.ToArray()),
            new CommitAdd("config.json", """{"architectures":["ViTForImageClassification"],"model_type":"vit","hidden_size":8}"""u8.ToArray()),
            new CommitAdd("model.safetensors", [0, 1, 2]),
        ], "Add");
        await anna.CreateRepoAsync(RepoId.Model("anna/bare"));
        await anna.CommitAsync(RepoId.Model("anna/bare"), [new CommitAdd("config.json", """{"architectures":["ResNetForImageClassification"],"model_type":"resnet"}"""u8.ToArray())], "Add");
        await anna.CreateRepoAsync(RepoId.Dataset("anna/photos"));
        await anna.CommitAsync(RepoId.Dataset("anna/photos"), [new CommitAdd("README.md", "---\nlicense: cc0-1.0\nlanguage:\n- en\ntask_categories:\n- image-classification\nsize_categories:\n- n<1K\n---\n"u8.ToArray())], "Add");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_model_has_the_tags_task_library_card_and_configuration_of_its_files()
    {
        var info = await JsonAsync("/api/models/anna/pets");

        Assert.Equal(["transformers", "safetensors", "vit", "image-classification", "vision", "dataset:anna/photos", "license:mit", "region:us"], info["tags"]!.AsArray().Select(t => (string)t!));
        Assert.Equal(("image-classification", "transformers"), ((string)info["pipeline_tag"]!, (string)info["library_name"]!));
        Assert.Equal("""{"license":"mit","library_name":"transformers","pipeline_tag":"image-classification","tags":["vision"],"datasets":["anna/photos"],"score":null,"date":"2026-01-02"}""", info["cardData"]!.ToJsonString());
        Assert.Equal("""{"architectures":["ViTForImageClassification"],"model_type":"vit"}""", info["config"]!.ToJsonString());
    }

    [Fact]
    public async Task A_model_without_a_card_has_the_task_of_its_configuration()
    {
        var info = await JsonAsync("/api/models/anna/bare");

        Assert.Equal(("image-classification", "transformers"), ((string)info["pipeline_tag"]!, (string)info["library_name"]!));
    }

    [Theory]
    [InlineData("models?filter=vision", "anna/pets")]
    [InlineData("models?filter=vision&filter=license:mit", "anna/pets")]
    [InlineData("models?filter=text-generation", "")]
    [InlineData("models?pipeline_tag=image-classification", "anna/bare anna/pets")]
    [InlineData("models?filter=transformers&search=PET", "anna/pets")]
    [InlineData("models?filter=dataset:anna/photos", "anna/pets")]
    [InlineData("models?author=ben", "")]
    [InlineData("models?sort=createdAt", "anna/bare anna/pets")]
    [InlineData("models?sort=lastModified&direction=1", "anna/pets anna/bare")]
    [InlineData("models?sort=lastModified&limit=1", "anna/bare")]
    [InlineData("models?gated=true", "")]
    [InlineData("models?inference=warm", "")]
    [InlineData("datasets?filter=task_categories:image-classification", "anna/photos")]
    [InlineData("datasets?filter=language:en&filter=size_categories:n<1K", "anna/photos")]
    [InlineData("datasets?filter=license:mit", "")]
    public async Task Filters_and_order_select(string query, string expected)
    {
        var rows = (await JsonAsync("/api/" + query)).AsArray();

        Assert.Equal(expected, string.Join(' ', rows.Select(r => (string)r!["id"]!)));
    }

    [Fact]
    public async Task Fields_come_as_they_are_asked_for()
    {
        var plain = (await JsonAsync("/api/models?filter=vision"))[0]!;
        var full = (await JsonAsync("/api/models?filter=vision&full=True&cardData=True&config=True"))[0]!;
        var expanded = (await JsonAsync("/api/models?filter=vision&expand=cardData&expand=pipeline_tag"))[0]!;

        Assert.Equal("image-classification", (string)plain["pipeline_tag"]!);
        Assert.Null(plain["cardData"]);
        Assert.Equal([".gitattributes", "README.md", "config.json", "model.safetensors"], full["siblings"]!.AsArray().Select(s => (string)s!["rfilename"]!));
        Assert.Equal(("mit", "vit"), ((string)full["cardData"]!["license"]!, (string)full["config"]!["model_type"]!));
        Assert.Equal(["_id", "id", "pipeline_tag", "cardData"], expanded.AsObject().Select(p => p.Key));
    }

    [Theory]
    [InlineData("sort=color", "This Hub does not sort by \"color\"; use lastModified, createdAt, downloads, likes or trendingScore.")]
    [InlineData("num_parameters=min:1B", "This Hub does not filter by \"num_parameters\".")]
    [InlineData("gated=perhaps", "\"gated\" must be true or false, got \"perhaps\".")]
    public async Task What_this_hub_does_not_know_is_said(string query, string message)
    {
        var answer = await _http.GetAsync("/api/models?" + query);

        Assert.Equal((HttpStatusCode.BadRequest, message), (answer.StatusCode, (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!));
    }

    [Theory]
    [InlineData("\"manual\"", "\"manual\"")]
    [InlineData("\"auto\"", "\"auto\"")]
    [InlineData("false", "false")]
    public async Task Gating_reads_back_as_it_was_set(string asked, string told)
    {
        await SendAsync(HttpMethod.Put, "/api/models/anna/pets/settings", $$"""{"gated":{{asked}}}""");

        Assert.Equal(told, (await JsonAsync("/api/models/anna/pets"))["gated"]!.ToJsonString());
    }

    [Theory]
    [InlineData("/api/models/anna/none")]
    [InlineData("/api/models/none")]
    [InlineData("/anna/none/resolve/main/config.json")]
    public async Task Without_a_token_a_missing_repository_has_the_code_that_clients_look_for(string address)
    {
        using var http = _server.Http(null);

        var answer = await http.GetAsync(address);

        Assert.Equal((HttpStatusCode.Unauthorized, "RepoNotFound"), (answer.StatusCode, string.Join(",", answer.Headers.GetValues("X-Error-Code"))));
    }

    [Fact]
    public async Task A_pull_request_is_listed_and_merged()
    {
        var anna = _server.Client("hf_anna");
        var made = await anna.CommitAsync(Pets, [new CommitAdd("new.txt", "new"u8.ToArray()), new CommitDelete("config.json")], "Propose", new CommitOptions { CreatePullRequest = true, Description = "Why" });
        await anna.CommitAsync(Pets, [new CommitAdd("other.txt", "other"u8.ToArray())], "Meanwhile");

        var listed = (await JsonAsync("/api/models/anna/pets/discussions?type=pull_request&status=open"))["discussions"]!;
        var details = await JsonAsync("/api/models/anna/pets/discussions/1");
        await SendAsync(HttpMethod.Post, "/api/models/anna/pets/discussions/1/merge", """{"comment":"Thanks"}""");
        var merged = await JsonAsync("/api/models/anna/pets/discussions/1");
        var again = await _http.PostAsync("/api/models/anna/pets/discussions/1/merge", null);

        Assert.EndsWith("/anna/pets/discussions/1", made.PullRequestUrl!.AbsolutePath, StringComparison.Ordinal);
        Assert.Equal(("Propose", "open"), ((string)listed[0]!["title"]!, (string)listed[0]!["status"]!));
        Assert.Equal("""["comment","commit"] [] {"base":"refs/heads/main"}""", $"[{string.Join(",", details["events"]!.AsArray().Select(e => $"\"{e!["type"]}\""))}] {details["filesWithConflicts"]!.ToJsonString()} {details["changes"]!.ToJsonString()}");
        Assert.Equal("merged", (string)merged["status"]!);
        Assert.Equal((await anna.RepoInfoAsync(Pets)).Commit, (string)merged["changes"]!["mergeCommitId"]!);
        Assert.Equal([".gitattributes", "README.md", "model.safetensors", "new.txt", "other.txt"], (await anna.RepoInfoAsync(Pets)).Files);
        Assert.Equal("Propose (#1)", (await anna.ListCommitsAsync(Pets))[0].Title);
        Assert.Equal("""{"error":"Pull request 1 is merged."}""", await again.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_pull_request_that_conflicts_is_not_merged_and_names_the_files()
    {
        var anna = _server.Client("hf_anna");
        await anna.CommitAsync(Pets, [new CommitAdd("config.json", "{}"u8.ToArray())], "Propose", new CommitOptions { CreatePullRequest = true });
        await anna.CommitAsync(Pets, [new CommitAdd("config.json", "[]"u8.ToArray())], "Meanwhile");

        var answer = await _http.PostAsync("/api/models/anna/pets/discussions/1/merge", null);

        Assert.Equal((HttpStatusCode.Conflict, """{"error":"Pull request 1 conflicts with main in config.json."}"""), (answer.StatusCode, await answer.Content.ReadAsStringAsync()));
        Assert.Equal("""["config.json"]""", (await JsonAsync("/api/models/anna/pets/discussions/1"))["filesWithConflicts"]!.ToJsonString());
    }

    [Fact]
    public async Task A_discussion_is_opened_commented_renamed_and_closed()
    {
        await SendAsync(HttpMethod.Post, "/api/models/anna/pets/discussions", """{"title":"Which breed?","description":"I wonder.","pullRequest":false}""");
        var comment = await SendAsync(HttpMethod.Post, "/api/models/anna/pets/discussions/1/comment", """{"comment":"A vizsla."}""");
        var title = await SendAsync(HttpMethod.Post, "/api/models/anna/pets/discussions/1/title", """{"title":"Breeds"}""");
        var status = await SendAsync(HttpMethod.Post, "/api/models/anna/pets/discussions/1/status", """{"status":"closed"}""");
        var details = await JsonAsync("/api/models/anna/pets/discussions/1");

        Assert.Equal("A vizsla.", (string)comment["newMessage"]!["data"]!["latest"]!["raw"]!);
        Assert.Equal("""{"from":"Which breed?","to":"Breeds"}""", title["newTitle"]!["data"]!.ToJsonString());
        Assert.Equal("""{"status":"closed"}""", status["newStatus"]!["data"]!.ToJsonString());
        Assert.Equal(("Breeds", "closed", 4), ((string)details["title"]!, (string)details["status"]!, details["events"]!.AsArray().Count));
        Assert.Equal(0, (int)(await JsonAsync("/api/models/anna/pets/discussions?status=open"))["count"]!);
    }

    [Fact]
    public async Task History_is_squashed_large_files_are_listed_and_access_is_checked()
    {
        var anna = _server.Client("hf_anna");
        await anna.CommitAsync(Pets, [new CommitAdd("more.txt", "more"u8.ToArray())], "More");

        var files = (await JsonAsync("/api/models/anna/pets/lfs-files")).AsArray();
        await SendAsync(HttpMethod.Post, "/api/models/anna/pets/super-squash/main", """{"message":"One"}""");
        var access = await _http.GetAsync("/api/models/anna/pets/auth-check");

        Assert.Equal(["One"], (await anna.ListCommitsAsync(Pets)).Select(c => c.Title));
        Assert.Equal([".gitattributes", "README.md", "config.json", "model.safetensors", "more.txt"], (await anna.RepoInfoAsync(Pets)).Files);
        Assert.Equal(("model.safetensors", 3), ((string)files[0]!["filename"]!, (int)files[0]!["size"]!));
        Assert.Equal(HttpStatusCode.OK, access.StatusCode);
    }

    [Fact]
    public async Task What_is_not_offered_is_refused_by_its_name_and_not_as_a_missing_repository()
    {
        var answer = await _http.PostAsync("/api/models/anna/pets/lfs-files/batch", new StringContent("{}", Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.NotImplemented, answer.StatusCode);
        Assert.Equal("""{"error":"This Hub does not offer POST /api/models/anna/pets/lfs-files/batch; the model 'anna/pets' is there."}""", await answer.Content.ReadAsStringAsync());
    }

    private async Task<JsonNode> JsonAsync(string address) => JsonNode.Parse(await _http.GetStringAsync(address))!;

    private async Task<JsonNode> SendAsync(HttpMethod method, string address, string body)
    {
        using var message = new HttpRequestMessage(method, address) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        var answer = await _http.SendAsync(message);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.StartsWith('{') ? JsonNode.Parse(text)! : new JsonObject();
    }
}
