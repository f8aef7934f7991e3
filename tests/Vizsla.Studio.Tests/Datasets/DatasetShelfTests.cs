using Vizsla.Serving;
using Vizsla.Studio.Datasets;
using Vizsla.Studio.Runs;
using Vizsla.Testing;

namespace Vizsla.Studio.Tests.Datasets;

public sealed class DatasetShelfTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StudioOptions _options;
    private readonly DatasetLibrary _library;
    private readonly DatasetShelf _shelf;

    public DatasetShelfTests()
    {
        for (var i = 0; i < 40; i++)
        {
            Write($"data/train/red/{i}.png", 220, 20, (byte)(10 + (i % 3)));
            Write($"data/train/blue/{i}.png", (byte)(10 + (i % 3)), 20, 220);
        }

        Write("data/train/red/wrong.png", 11, 20, 220);
        _options = new StudioOptions { Dataset = _folder["data"] };
        _library = new DatasetLibrary(_options);
        _shelf = new DatasetShelf(_library, _options);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_picture_gets_another_class_and_has_its_old_one_again()
    {
        var (before, raised) = (_library.Version, 0);
        _library.Changed += () => raised++;

        var moved = _shelf.Relabel(Photo("wrong.png"), "blue");

        Assert.Equal(("train/red/wrong.png", "train/blue/wrong.png"), (moved.File, moved.Moved));
        Assert.Equal("blue", Photo("wrong.png").Label);
        Assert.Equal((before + 1, 1), (_library.Version, raised));

        _shelf.TakeBack(moved);
        Assert.Equal("red", Photo("wrong.png").Label);
    }

    [Fact]
    public void What_another_window_changed_meanwhile_is_refused_without_a_path_of_this_computer()
    {
        var photo = Photo("wrong.png");
        _shelf.Relabel(photo, "blue");

        var e = Assert.Throws<RefusedException>(() => _shelf.Relabel(photo, "blue"));

        Assert.Equal("'train/red/wrong.png' is not a picture below 'the dataset'. Expected a path such as 'train/cat/1.jpg'.", e.Message);
    }

    [Fact]
    public void A_picture_leaves_for_quarantine_and_comes_back()
    {
        _shelf.MoveOut(Photo("wrong.png"));

        Assert.Equal(1, _shelf.QuarantinedCount);
        Assert.Equal(80, _library.Photos.Count);

        Assert.Equal(1, _shelf.BringBack());
        Assert.Equal((0, 81), (_shelf.QuarantinedCount, _library.Photos.Count));
    }

    [Fact]
    public void Pictures_that_came_meanwhile_are_there_when_a_page_is_opened()
    {
        _library.Refresh();
        Assert.Equal(81, _library.Photos.Count);
        Write("data/train/green/1.png", 20, 220, 20);

        _library.Refresh();

        Assert.Equal(82, _library.Photos.Count);
    }

    [Fact]
    public async Task A_wrong_label_is_found_decided_and_the_decision_outlasts_the_server()
    {
        _options.Models = [SmallModel.Save(_folder["model"])];
        var review = await ReviewAsync();

        var (suspect, photo) = Assert.Single(review.Open());
        Assert.Equal(("train/red/wrong.png", "red", "blue"), (suspect.File, suspect.Label, suspect.Suggested));
        Assert.Equal("wrong.png", photo.Name);
        Assert.False(review.KnowsClasses);
        Assert.Equal(81, review.Map!.Count);

        review.Keep(suspect, isRight: true);
        Assert.Empty(review.Open());
        Assert.Empty((await ReviewAsync()).Open());

        review.Keep(suspect, isRight: false);
        var moved = _shelf.Relabel(photo, suspect.Suggested);
        Assert.Empty(review.Open());
        _shelf.TakeBack(moved);
        Assert.Single(review.Open());
    }

    private async Task<DatasetReview> ReviewAsync()
    {
        var review = new DatasetReview(_library, _shelf, new RunLibrary(_options, TimeProvider.System), _options);
        var done = new TaskCompletionSource();
        review.Changed += () =>
        {
            if (review.Doing is null)
            {
                done.TrySetResult();
            }
        };
        review.Start("model");
        await done.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Null(review.Problem);
        return review;
    }

    private DatasetPhoto Photo(string name) => _library.Photos.Single(p => p.Name == name);

    private void Write(string path, byte red, byte green, byte blue) => File.WriteAllBytes(_folder.Reserve(path), TestPictures.Png(red, green, blue));
}
