/**
 * Four discussions in which people argue: street food, homework, the way to the campus, phones.
 */
import type { Topic } from './topics.ts'

const lines = (text: TemplateStringsArray) => text[0]!.trim().split(/\n\s*/)

export const debates: readonly Topic[] = [
	{
		title: 'Street food: tradition or risk?',
		prompt:
			'The city wants to move all food carts to one hall with running water. Are you for or against it?\n\nGive one reason and one example. Use at least one of these: “on the other hand”, “even though”, “as long as”. On Friday we vote.',
		groups: [0, 1],
		category: 1,
		lecturers: [0],
		tags: ['debate', 'linking words', 'food'],
		opinions: lines`
			I am against it, because a cart that can’t move is only a small restaurant.
			I am for the hall, as long as the sellers don’t pay rent in the first year.
			Street food is the only restaurant that comes to you.
			Even though I love it, I have been ill twice after eating by the road.
			The problem is not the carts, it is the water.
			A hall kills the smell, the noise, and half of the taste.
			Tradition is not a reason to have dirty plates.
			The sellers know their customers better than any inspector does.
			I think the city should bring water to the carts instead.
			On the other hand, a hall has a roof, and we have a rainy season.`,
		reasons: lines`
			My neighbour has sold “bubur ayam” for thirty years, and nobody has ever been ill.
			Clean water costs less than a new building.
			Tourists come for the street, not for a hall that looks like an airport.
			The people who work at night have nowhere else to eat.
			If the prices go up, students will eat instant noodles again.
			In Singapore they did it, and now everybody is proud of it.
			Nobody has asked the sellers yet, only the shop owners.
			One tap for fifty carts is not enough.
			You can see how your food is made, and that is more than any kitchen shows you.`,
		stories: lines`
			Last Ramadan I counted forty carts on the way home.
			My aunt moved to a hall, and after six months she moved back to her corner.
			I still dream of the “martabak” next to my old school.
			Once the seller remembered my order after two years abroad.
			When the inspector came, everybody suddenly wore gloves.
			I asked five sellers: three said yes, one said no, and one gave me extra sambal.
			My friend from Germany ate everything and was fine, I was the one who got ill.
			In my street the carts come at the same time every evening, like a clock that smells good.`,
		questions: lines`
			Who would pay for the hall? | The city says that it would, but it says that about the buses, too. | The sellers in the end, through the rent.
			Have you ever been ill from street food? | Once, but it was my own fault: I ate the third portion. | Never, and I have eaten it every day for four years.
			What would you miss most? | The bell of the ice cream man. | The talk while you wait.
			Could the hall open at night? | If it closes at ten, then it is useless for us. | Yes, that should be the condition.
			Is “foods” correct? | Usually “food” has no plural. “Different kinds of food” is safe. | Only when you mean several types, as in a report.`,
		pendapat: lines`
			Saya kurang setuju kalau semua dipindah, pembelinya pasti berkurang.
			Yang penting airnya bersih, tempatnya di mana saja tidak masalah.
			Bapak penjual sate di depan kampus bilang dia takut tidak kuat bayar sewa.
			Makan di pinggir jalan itu bukan cuma soal makan, tapi soal ngobrol.
			Setuju, asal harganya tidak ikut naik.
			Di kota saya sudah dicoba, hasilnya lumayan, tapi suasananya hilang.
			Ayo kita tanya langsung ke penjualnya hari Sabtu, siapa ikut?`,
		captions: lines`
			I asked in my street: number 1 is “for”, number 2 is “against”, the rest don’t care.
			The place they are talking about, early in the morning.
			My arguments on one page, before and after correction.
			How often my group eats outside, by day of the week.`,
		pictures: ['chart', 'landscape', 'note'],
		pictured: 3,
	},
	{
		title: 'Should homework be abolished?',
		prompt:
			'Read the two short texts from last week again. Then take a side, not your own one. Argue for it as well as you can in 100 to 150 words.\n\nThis discussion closes on Sunday evening; on Monday we look at the best counter-arguments together.',
		groups: [2],
		category: 1,
		lecturers: [1],
		tags: ['debate', 'argument', 'graded'],
		closed: true,
		opinions: lines`
			Homework should be abolished in the first two years of school.
			Homework is the only time when I find out what I did not understand.
			Whoever has a quiet room at home has an advantage, so homework is unfair.
			The question is not whether there is homework, but who gives feedback on it.
			Without homework the lessons would have to become longer.
			It teaches us to plan our own time, which no lesson can do.
			Most homework only proves that somebody’s parents can write well.
			I argue against my own opinion here, and it hurts: homework is useful.
			Less homework, but better homework, is not a compromise; it is the answer.
			A task that nobody reads should not be given.`,
		reasons: lines`
			According to the first text, the effect on younger children is close to zero.
			Students who work in the evening have no second evening for it.
			We forget most of what we hear unless we use it within a day.
			The second text counts hours, but it does not ask what was done in them.
			In class there is always somebody who answers faster than you can think.
			Copying takes five minutes and teaches you nothing.
			Practice is boring, and it works.
			Nobody learns to swim by listening to a lecture about water.
			Feedback after two weeks is history, not feedback.`,
		stories: lines`
			In my old school we had a homework café, and suddenly everybody did it.
			My sister is in year four and has more homework than I do.
			I once did the wrong exercise, and it was the best practice I ever had.
			When our teacher stopped collecting it, half of us went on, and half of us stopped.
			During the exams I was grateful for every single page.
			I did mine on the ferry, with a life jacket as a table.
			My host family in Ireland did the homework together at the kitchen table.
			I asked my father: he still remembers the one task that he enjoyed.`,
		questions: lines`
			Is there any evidence for that number? | Page two of the second text, the table at the bottom. | I could not find it again, so I take it back.
			What about students who have a job? | This is exactly my point: they should be allowed to choose the day. | They need it most, and they have the least time.
			Isn’t that a contradiction to your first sentence? | Yes, you found it. I will change the first sentence. | Not quite: I wrote “should”, not “must”.
			Would you say the same as a parent? | As a parent I would say it louder. | Probably not, and that makes me think.
			Is “homeworks” a word? | No, homework is uncountable: “two pieces of homework”. | I used to write it, too!`,
		pendapat: lines`
			Kalau PR dihapus, saya takut malah jadi malas, jujur saja.
			Menurut saya PR boleh, asal dibahas di kelas.
			Adik saya PR-nya sampai jam sembilan malam, kasihan.
			Saya menulis pendapat yang berlawanan dengan pendapat saya sendiri, susah sekali!
			Teks kedua angkanya meyakinkan, tapi sumbernya tahun berapa?
			Setuju dengan kalimat terakhirnya: kualitas, bukan jumlah.`,
		captions: lines`
			Hours of homework a week in our class, by my own survey.
			My draft with the counter-arguments in the margin.
			The table from the second text as a chart, so that we can see it.
			This is how my argument looked before Mr. O’Brien read it 😬`,
		pictures: ['chart', 'note'],
		pictured: 4,
	},
	{
		title: 'Chart of the week: how we come to the campus',
		prompt:
			'Describe a chart in four sentences: what it shows, the main trend, one detail that surprises, and a careful conclusion. Phrases: “accounts for”, “a sharp rise”, “remains stable”, “twice as many … as”, “roughly a third”.\n\nYou may post your own chart. Invented numbers are fine if you say so.',
		groups: [2, 3],
		category: 3,
		lecturers: [2, 1],
		tags: ['charts', 'IELTS', 'academic style'],
		opinions: lines`
			The chart shows how students come to the campus in five different months.
			Motorbikes account for more than half of all journeys.
			The number of people who walk remains stable over the whole period.
			There is a sharp rise in the third column.
			Overall, cars are less common than I expected.
			Twice as many students come by bus in the rainy season as in the dry one.
			Roughly a third of us share a ride with somebody.
			The most striking feature is the gap between the two lines in week two.
			Cycling increased slightly, from a very low level.
			By contrast, the train is hardly used at all.`,
		reasons: lines`
			This may be due to the new parking fee.
			A possible explanation is that the bus stop was moved.
			It should be noted that only forty people answered.
			The figures do not include those who live on the campus.
			This suggests that the price matters more than the time.
			However, the trend is reversed at the end of the term.
			The difference is too small to draw a conclusion from it.
			One reason might be the rain, another the exams.`,
		stories: lines`
			The numbers are invented, but I would bet on them.
			I counted from the gate for an hour, and three people asked me what I was selling.
			I stand in the smallest column: I come by boat.
			My first version said “increase up”, which is one word too many.
			Surprisingly, nobody answered “helicopter”, although I offered it.
			I asked my colleagues in the evening class, and the picture was quite different.
			In conclusion, we need more roofs, not more roads.
			My own journey takes ninety minutes, so I have a lot of time to read charts.`,
		questions: lines`
			Should I write “the number of people is” or “are”? | “The number … is”, but “a number of people … are”. | “Is”. I check it every time, too.
			What is the unit of the vertical axis? | Percent of all journeys, I should have written it. | Number of persons out of a hundred.
			Can I say “dramatically”? | Only if it is dramatic: from 20 to 77 it is. | “Sharply” is safer in academic style.
			Is the conclusion too strong? | A little. “This suggests” instead of “this proves”. | I think it is fine with “may”.
			Where did you get the data from? | From a form in our group, forty answers. | Invented, as it says below.`,
		pendapat: lines`
			Grafiknya jelas, tapi sumbu tegaknya belum ada satuannya.
			“Accounts for” itu artinya “mencakup”, kan, Bu?
			Saya naik motor berdua dengan teman, itu dihitung satu atau dua?
			Kesimpulannya sudah hati-hati, bagus menurut saya.
			Datanya saya karang sendiri, maaf, hehe, tapi polanya masuk akal.
			Kalau hujan, semua orang tiba-tiba jadi penumpang bus.`,
		captions: lines`
			My chart of the week. Numbers invented.
			Forty answers from the evening class, one column for each means of transport.
			Please describe this one without using the word “increase”.
			Two lines: this term and last term. What happened in the middle?
			An easy one for Monday.
			Real numbers this time, from the gate between seven and eight.`,
		pictures: ['chart'],
		pictured: 12,
	},
	{
		title: 'Phones in the classroom',
		prompt:
			'Our evening class uses phones for the dictionary, for photos of the board, and, let us be honest, for everything else. Write rules that you would really keep. Use “must”, “don’t have to”, “should”, “may”.\n\nPeople who work with machines, patients or customers: what are the rules at your workplace?',
		groups: [3],
		category: 0,
		lecturers: [2],
		tags: ['modal verbs', 'work', 'rules'],
		opinions: lines`
			You must put your phone on silent, but you don’t have to switch it off.
			Phones should lie face down on the table.
			We may take a photo of the board, but not of people.
			I would really keep only one rule: no calls.
			At my workplace phones stay in a locker, and nobody has died.
			A dictionary on paper doesn’t send you messages from your cousin.
			I need my phone because my daughter is alone at home in the evening.
			Everybody who looks at a phone should have to translate the next sentence.
			The teacher must keep the same rules as we do.
			Five minutes of phone time in the middle would be enough for me.`,
		reasons: lines`
			If it vibrates, I think about it for ten minutes.
			We are adults, and we have paid for this course.
			In the hospital it is a question of hygiene, not of politeness.
			I remember words better when I have to ask somebody.
			A rule that nobody keeps is worse than no rule.
			On night shift the phone is the only clock I trust.
			The board photos help me when I miss a lesson.
			It is difficult to listen to two people, and one of them is always in the phone.`,
		stories: lines`
			Last Tuesday three phones rang, and one of them was the teacher’s.
			My manager collects them in a basket that says “good night”.
			I once answered “yes, darling” to the whole class.
			We tried it for a week, and by Thursday I had learned all the names.
			At the factory gate there is a sign with a phone and a very sad face.
			My son asked why I may have a phone at school and he may not.
			I left it at home by accident, and it was the best lesson of the term.
			A patient’s family once filmed me while I was singing.`,
		questions: lines`
			Must I or do I have to? | “Have to” for rules from outside, “must” when the speaker decides. Both are fine here. | I always say “have to”, it sounds softer.
			What should happen to somebody who breaks the rule? | She brings cake. | Nothing, but everybody looks.
			May we use translation apps? | After we have tried it ourselves, I would say. | For one word yes, for a whole text no.
			Is it different at your workplace? | Yes: no phones near the machines at all. | We must answer within three rings, so it is the opposite!
			Does “mustn’t” mean the same as “don’t have to”? | No! “Mustn’t” is forbidden, “don’t have to” is free. | I thought so for years.`,
		pendapat: lines`
			Jujur, saya sering buka HP bukan untuk kamus.
			Di pabrik kami HP wajib dititipkan di loker.
			Saya harus tetap bisa dihubungi, anak saya masih kecil.
			Usul saya: HP di tengah meja, yang pegang duluan traktir kopi. ☕
			“Tidak harus” dan “tidak boleh” itu beda jauh, saya baru paham sekarang.
			Habis kerja mata sudah lelah, layar kecil bikin tambah pusing.
			Aturannya sedikit saja, yang penting ditepati.`,
		captions: lines`
			Our rules, signed by everybody who was there on Tuesday.
			How often we looked at our phones in one lesson. The highest column is me.
			Notes from the pair work.
			The view from the night shift. No phones were harmed.`,
		pictures: ['note', 'chart', 'landscape'],
		pictured: 3,
	},
]
